//! Reads and opens the next pages of the log while the present one is written: one task asks the database,
//! one decrypts and parses, and the caller writes.

use event_log::{EventLog, Interest, LogError, Position, RecordedEvent, Span};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::runtime::batch::{Opened, open_all};
use crate::runtime::connect::connect;
use crate::runtime::spec::{Payloads, Spec};

/// Positions of one page. It begins small and grows as long as its events are small.
pub(super) const PAGE_POSITIONS_MAX: i64 = 5000;
/// A page with more of them is followed by a smaller one.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// Pages that wait between two tasks.
const PAGES_AHEAD_MAX: usize = 1;

/// The events up to a position that the projection cares for.
pub(super) struct Page {
    pub(super) events: Vec<Opened>,
    pub(super) upto: Position,
}

type Read = Result<(Vec<RecordedEvent>, Position), LogError>;

/// A stretch of the log that is being read. Dropping it stops the tasks.
pub(super) struct ReadAhead {
    pages: mpsc::Receiver<Result<Page, LogError>>,
    _tasks: JoinSet<()>,
}

impl ReadAhead {
    /// Starts to read a span, with a page of so many positions.
    pub(super) fn start(log: &EventLog, spec: &Spec, span: Span, page_positions: i64) -> Self {
        let (read, to_open) = mpsc::channel(PAGES_AHEAD_MAX);
        let (opened, pages) = mpsc::channel(PAGES_AHEAD_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(read_pages(log.clone(), spec.interest(), span, page_positions, read));
        tasks.spawn(open_pages(log.clone(), spec.payloads, to_open, opened));
        Self { pages, _tasks: tasks }
    }

    /// The next page; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, LogError> {
        self.pages.recv().await.transpose()
    }
}

async fn read_pages(
    log: EventLog,
    interest: Interest<'static>,
    span: Span,
    page_positions: i64,
    read: mpsc::Sender<Read>,
) {
    let mut connection = match connect(&log).await {
        Ok(connection) => connection,
        // Nobody listens any more when this fails, here and below.
        Err(error) => return drop(read.send(Err(error)).await),
    };
    let mut positions = page_positions;
    let mut after = span.after;
    while after < span.upto {
        let last = span.upto.min(after.plus(positions));
        let events = log.events_between(&mut connection, Span { after, upto: last }, interest).await;
        let failed = events.is_err();
        positions = events.as_ref().map_or(positions, |events| next_size(positions, events));
        if read.send(events.map(|events| (events, last))).await.is_err() || failed {
            return;
        }
        after = last;
    }
}

fn next_size(size: i64, events: &[RecordedEvent]) -> i64 {
    match events.iter().map(|event| event.payload.len() + event.metadata.len()).sum::<usize>() {
        bytes if bytes > PAGE_BYTES_MAX => (size / 2).max(1),
        bytes if bytes < PAGE_BYTES_MAX / 4 => (size * 2).min(PAGE_POSITIONS_MAX),
        _ => size,
    }
}

async fn open_pages(
    log: EventLog,
    payloads: Payloads,
    mut read: mpsc::Receiver<Read>,
    opened: mpsc::Sender<Result<Page, LogError>>,
) {
    while let Some(page) = read.recv().await {
        let page = match page {
            Ok((events, upto)) => open_all(&log, events, payloads).await.map(|events| Page { events, upto }),
            Err(error) => Err(error),
        };
        if opened.send(page).await.is_err() {
            return;
        }
    }
}
