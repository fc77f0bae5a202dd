//! The health of this process and of the read side.
//!
//! The progress of the projections is read from the database: their workers may run in other processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::reactions::Role;
use event_log::{EventLog, LogError, Rewound, presence};
use nats::RelayState;
use projections::runtime::{self, Progress};
use tokio::sync::watch;

/// The time in which a part must answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The reports of this process's background tasks.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    relay: Option<watch::Receiver<RelayState>>,
    anchors: Option<watch::Receiver<Option<String>>>,
}

impl Health {
    pub fn watch_relay(&self, state: watch::Receiver<RelayState>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).relay = Some(state);
    }

    /// Says why the newest anchor does not hold.
    pub fn watch_anchors(&self, fault: watch::Receiver<Option<String>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).anchors = Some(fault);
    }

    /// Why this process cannot do its job; empty when it can.
    pub fn faults(&self, log: &EventLog) -> Vec<String> {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faults = Vec::new();
        let relay = watched.relay.as_ref().map(|state| *state.borrow());
        let stopped = match relay {
            Some(RelayState::LogRewound { stream, log }) => Some(Rewound { stream, log }),
            _ => None,
        };
        if let Some(Rewound { stream, log }) = log.rewound().or(stopped) {
            faults.push(format!("log_rewound: the stream is at {stream}, the log at {log}"));
        }
        let broken = watched.anchors.as_ref().and_then(|fault| fault.borrow().clone());
        faults.extend(broken.map(|reason| format!("log_not_anchored: {reason}")));
        faults
    }
}

/// The progress of this program's projections; `None` when the database does not answer in time. Read models
/// of other versions of the program are not this one's business.
pub async fn projections(log: &EventLog, stalled_after: Duration) -> Option<Vec<Progress>> {
    let asked = runtime::progress(log, stalled_after);
    let all = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    let ours = projections::all();
    Some(all.into_iter().filter(|row| ours.iter().any(|known| known.spec().name == row.projection)).collect())
}

/// Why the read side cannot do its job, in words.
pub fn faults_of(projections: &[Progress]) -> impl Iterator<Item = String> {
    projections.iter().filter(|row| row.state.is_fault()).map(|row| {
        let (name, state, next) = (&row.projection, row.state.name(), row.position.next());
        format!("projection {name} is {state} at position {next}, {} events wait", row.behind)
    })
}

/// The parts of the background work, each of which has to run somewhere.
pub fn background_parts() -> impl Iterator<Item = &'static str> {
    ["relay", "projections"].into_iter().chain(Role::ALL.iter().map(|role| role.name()))
}

/// The number of processes that run each part, also of those that nobody runs.
pub async fn attendance(log: &EventLog) -> Result<BTreeMap<&'static str, i64>, LogError> {
    let running = presence::running(log.pool()).await?;
    Ok(background_parts().map(|part| (part, running.get(part).copied().unwrap_or_default())).collect())
}

/// The parts that nobody runs.
pub async fn unattended(log: &EventLog) -> Result<Vec<&'static str>, LogError> {
    Ok(attendance(log)
        .await?
        .into_iter()
        .filter(|(_, processes)| *processes == 0)
        .map(|(part, _)| part)
        .collect())
}
