//! The calls of the provider that one pays for, as the program under test writes them down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{sleep, timeout};

/// Long enough for the next order to be drawn, where one comes.
const NEXT_CALL_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub struct Calls(pub PathBuf);

impl Calls {
    fn lines(&self) -> Vec<(u32, String, String)> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let words = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let whole = words.filter(|words| words.len() == 3);
        whole.map(|words| (words[0].parse().unwrap(), words[1].to_owned(), words[2].to_owned())).collect()
    }

    fn has_open_call(&self, process: u32) -> bool {
        let mut open = 0;
        for (pid, _, what) in self.lines() {
            match what.as_str() {
                "called" if pid == process => open += 1,
                "answered" if pid == process => open -= 1,
                _ => {}
            }
        }
        open > 0
    }

    /// Waits until a process is in the middle of a call; not for ever, because no order may come any more.
    pub async fn until_open(&self, process: u32) {
        let open = async {
            while !self.has_open_call(process) {
                sleep(LOOK_EVERY).await;
            }
        };
        // Where none came, the fault hits what there is.
        let _ = timeout(NEXT_CALL_MAX, open).await;
    }

    /// No attempt was sent twice, by whomever, and each finished picture came of a call. Returns the number of calls.
    pub async fn check(&self, pool: &PgPool) -> usize {
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for (_, attempt, _) in self.lines().into_iter().filter(|(_, _, what)| what == "called") {
            *calls.entry(attempt).or_default() += 1;
        }
        let twice: Vec<&String> = calls.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id).collect();
        assert!(twice.is_empty(), "invariant 17: attempts that were paid twice: {twice:?}");
        let finished = "SELECT payload ->> 'attempt_id' FROM events WHERE event_type = 'GenerationCompleted'";
        let finished: Vec<String> = sqlx::query_scalar(finished).fetch_all(pool).await.unwrap();
        let uncalled: Vec<&String> =
            finished.iter().filter(|attempt| !calls.contains_key(*attempt)).collect();
        assert!(uncalled.is_empty(), "pictures that nobody was called for: {uncalled:?}");
        calls.len()
    }
}
