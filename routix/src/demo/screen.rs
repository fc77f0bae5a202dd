//! The screen of the demo: the chat, and a bar while the picture is made.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Duration;

use domain::generation_request::Status;
use domain::language::Language;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

pub(super) struct Screen {
    bar: ProgressBar,
}

impl Screen {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(100);
        let style = ProgressStyle::with_template("  {bar:40} {pos:>3}% {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    pub(super) fn user(&self, text: &str) {
        self.line(&format!("  you     {text}"));
    }

    pub(super) fn assistant(&self, message: &Value) {
        self.line(&format!("  routix  {}", message["content"].as_str().unwrap_or_default()));
        for option in message["metadata"]["options"].as_array().into_iter().flatten() {
            let name = option["name"].as_str().unwrap_or_default();
            let cost = domain::Credits(
                option["credit_cost"].as_u64().and_then(|cost| u32::try_from(cost).ok()).unwrap_or_default(),
            );
            self.line(&format!("            {name} ({})", cost.in_words()));
        }
    }

    pub(super) fn progress(&self, payload: &Value) {
        self.bar.set_position(payload["progress"].as_u64().unwrap_or_default());
        self.bar.set_message(payload["message"].as_str().unwrap_or_default().to_owned());
    }

    pub(super) fn complete(&self) {
        self.bar.set_position(100);
        self.bar.finish_with_message(Status::Completed.sentence(Language::English));
    }

    pub(super) fn saved(&self, path: &Path, bytes: usize, elapsed: Duration) {
        self.line(&format!(
            "  saved   {} ({} kB) after {:.1} s",
            path.display(),
            bytes / 1024,
            elapsed.as_secs_f64()
        ));
    }
}
