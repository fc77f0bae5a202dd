//! Figures beside those of their peers, as a table for people and as JSON lines for programs.
#![allow(clippy::print_stdout)]

use serde_json::{Map, Value, json};

/// A figure and, where there is one, the peer's in the same run.
#[derive(Debug)]
struct Figure {
    metric: &'static str,
    value: f64,
    unit: &'static str,
    params: Map<String, Value>,
    peer: Option<(&'static str, f64)>,
}

/// The figures of a case.
#[derive(Debug)]
pub struct Report {
    case: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    pub fn new(case: &'static str) -> Self {
        Self { case, figures: Vec::new() }
    }

    pub fn figure(&mut self, metric: &'static str, value: f64, unit: &'static str, params: Value) {
        self.add(metric, value, unit, params, None);
    }

    pub fn beside(
        &mut self,
        metric: &'static str,
        value: f64,
        unit: &'static str,
        params: Value,
        peer: (&'static str, f64),
    ) {
        self.add(metric, value, unit, params, Some(peer));
    }

    fn add(
        &mut self,
        metric: &'static str,
        value: f64,
        unit: &'static str,
        params: Value,
        peer: Option<(&'static str, f64)>,
    ) {
        let Value::Object(params) = params else { panic!("the parameters of {metric} are an object") };
        self.figures.push(Figure { metric, value, unit, params, peer });
        // A long case shows that it goes on.
        if let Some(figure) = self.figures.last() {
            eprintln!("{}", figure.row());
        }
    }

    pub fn print(&self) {
        println!("\n{}\n", self.case);
        println!(
            "{:<26} {:>12} {:<11} {:<24} {:<34} {:>7}",
            "metric", "value", "unit", "params", "peer", "ratio"
        );
        for figure in &self.figures {
            println!("{}", figure.row());
        }
        println!();
        for figure in &self.figures {
            println!("{}", figure.json(self.case));
        }
    }
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|(_, value)| self.value / value)
    }

    fn row(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let peer = self.peer.map(|(name, value)| format!("{} {name}", number(value))).unwrap_or_default();
        let ratio = self.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let (metric, value, params) = (self.metric, number(self.value), params.join(" ").replace('"', ""));
        format!("{metric:<26} {value:>12} {:<11} {params:<24} {peer:<34} {ratio:>7}", self.unit)
    }

    fn json(&self, case: &str) -> Value {
        json!({
            "case": case,
            "metric": self.metric,
            "value": rounded(self.value),
            "unit": self.unit,
            "params": self.params,
            "peer": self.peer.map(|(name, _)| name),
            "peer_value": self.peer.map(|(_, value)| rounded(value)),
            "ratio": self.ratio().map(rounded),
        })
    }
}

fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
