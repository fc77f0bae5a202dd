//! The stream of one client, over any transport: first the frames that it missed, then the live ones, nothing twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use domain::SessionId;
use event_log::{Position, Span, clock};
use nats::LiveFrame;
use serde_json::json;
use uuid::Uuid;

use super::frame::{Frame, public_frame, stage_subject};
use super::router::{Routed, Subscription};
use crate::auth::CurrentUser;
use crate::problem::ApiError;
use crate::state::App;

/// A client that missed more than this starts over.
const MISSED_FRAMES_MAX: usize = 10_000;
const PAGE_EVENTS: i64 = 1000;
/// Requests and chats whose unstored frames are remembered, per connection.
const SUBJECTS_MAX: usize = 1000;

/// From where a client wants to go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resume {
    /// After the frame with this id; else from now on.
    pub after: Option<Position>,
    /// The log that the client knows. Positions of another one mean something else.
    pub log_id: Option<Uuid>,
}

impl std::str::FromStr for Resume {
    type Err = std::num::ParseIntError;

    /// `<position>` or `<log id>:<position>`. What is no id of a log is that of another one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some((log, position)) => {
                Self { after: Some(position.parse()?), log_id: Some(log.parse().unwrap_or_default()) }
            }
            None => Self { after: Some(text.parse()?), log_id: None },
        })
    }
}

/// The frames of one client, in order.
pub struct Connection {
    subscription: Subscription,
    session_id: Uuid,
    session_ended: bool,
    ready: VecDeque<Arc<Frame>>,
    /// The last position of the user that was passed, with or without a frame.
    position: Position,
    /// Unstored frames that wait for their position, the latest per kind and subject.
    held: HashMap<(String, Uuid), Arc<LiveFrame>>,
    /// The last stored stage of a request, and the progress that was shown of it.
    stages: HashMap<Uuid, Stage>,
}

#[derive(Clone, Copy, Default)]
struct Stage {
    position: Position,
    progress: i64,
}

impl Connection {
    /// Opens the stream: subscribes first, then reads what was missed up to the head, so that nothing falls
    /// between the two.
    pub async fn open(app: &App, user: &CurrentUser, resume: Resume) -> Result<Self, ApiError> {
        let user_id = user.user_id.0;
        let subscription = app
            .router()
            .subscribe(user_id, app.settings().sockets_per_user)
            .ok_or(ApiError::TooManySockets)?;
        // A session that ended before the subscription was there has told nobody.
        if !app.commands().session_is_open(user.session_id).await? {
            return Err(ApiError::Unauthenticated { detail: "The session has ended" });
        }
        let (log_id, head) = app.log().place().await?;
        let mut connection = Self {
            subscription,
            session_id: user.session_id.0,
            session_ended: false,
            ready: VecDeque::new(),
            position: head,
            held: HashMap::new(),
            stages: HashMap::new(),
        };
        let established = json!({
            "connection_id": clock::random_id(),
            "user_id": user_id,
            "log_id": log_id,
            "position": head,
            "timestamp": clock::now(),
        });
        connection.ready.push_back(Arc::new(Frame::unstored("connection:established", established)));
        if resume.log_id.is_some_and(|known| known != log_id) {
            connection.ready.push_back(Arc::new(Frame::reset("log_replaced", log_id, head)));
        } else if let Some(since) = resume.after
            && !connection.replay(app, user_id, Span { after: since, upto: head }).await?
        {
            connection.ready.truncate(1);
            connection.ready.push_back(Arc::new(Frame::reset("history_unavailable", log_id, head)));
        }
        Ok(connection)
    }

    /// Queues what was missed. `false` when it is too much, or the client is ahead of the log.
    async fn replay(&mut self, app: &App, user: Uuid, mut span: Span) -> Result<bool, ApiError> {
        if span.after > span.upto || span.after < Position::ZERO {
            return Ok(false);
        }
        loop {
            let page = app.log().owner_page(user, span, PAGE_EVENTS).await?;
            let Some(last) = page.last() else { return Ok(true) };
            span.after = last.position;
            for event in page {
                let opened = app.log().open(event.into()).await?;
                if let Some(frame) = public_frame(&opened)? {
                    self.note_stage(&frame);
                    self.ready.push_back(Arc::new(frame));
                }
            }
            if self.ready.len() > MISSED_FRAMES_MAX {
                return Ok(false);
            }
        }
    }

    /// Tells whether the session that opened this connection is still open.
    pub async fn session_is_open(&self, app: &App) -> bool {
        // While the database is away the socket stays as it is.
        app.commands().session_is_open(SessionId(self.session_id)).await.unwrap_or(true)
    }

    /// Tells whether the connection ended with its session: coming back with the same token is no use.
    pub fn session_ended(&self) -> bool {
        self.session_ended
    }

    /// Tells whether the connection ended with its server: another one goes on with it.
    pub fn server_ends(&self) -> bool {
        self.subscription.server_ends()
    }

    /// The next frame. `None` when the connection must end: the session ended, or the client was too slow.
    pub async fn next(&mut self) -> Option<Arc<Frame>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            match self.subscription.routed.recv().await? {
                Routed::SessionEnded { session_id } if session_id == self.session_id => {
                    self.session_ended = true;
                    return None;
                }
                Routed::SessionEnded { .. } => {}
                Routed::Stored { position, frame } => self.stored(position, frame),
                Routed::Live(frame) => self.live(frame),
                Routed::Reset { log_id, position } => self.start_over(log_id, position),
            }
        }
    }

    /// The log was replaced: nothing that was shown or held before means anything now.
    fn start_over(&mut self, log_id: Uuid, position: Position) {
        self.position = position;
        self.held.clear();
        self.stages.clear();
        self.ready.push_back(Arc::new(Frame::reset("log_replaced", log_id, position)));
    }

    fn stored(&mut self, position: Position, frame: Option<Arc<Frame>>) {
        // Replayed already.
        if position <= self.position {
            return;
        }
        self.position = position;
        if let Some(frame) = frame {
            self.note_stage(&frame);
            self.ready.push_back(frame);
        }
        let due: Vec<(String, Uuid)> = self
            .held
            .iter()
            .filter(|(_, held)| held.after_position <= position)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            if let Some(held) = self.held.remove(&key) {
                self.show(&held);
            }
        }
    }

    fn live(&mut self, frame: Arc<LiveFrame>) {
        if frame.after_position <= self.position {
            self.show(&frame);
        } else if self.held.len() < SUBJECTS_MAX {
            self.held.insert((frame.kind.clone(), frame.subject), frame);
        }
    }

    /// Queues an unstored frame, unless the request has moved on: progress never falls.
    fn show(&mut self, frame: &LiveFrame) {
        if let Some(progress) = frame.payload.get("progress").and_then(serde_json::Value::as_i64) {
            let stage = self.stages.entry(frame.subject).or_default();
            if stage.position > frame.after_position || progress <= stage.progress {
                return;
            }
            stage.progress = progress;
        }
        self.ready.push_back(Arc::new(Frame::unstored(&frame.kind, frame.payload.clone())));
    }

    fn note_stage(&mut self, frame: &Frame) {
        let Some(subject) = stage_subject(frame).and_then(|id| id.parse().ok()) else { return };
        if self.stages.len() >= SUBJECTS_MAX {
            self.stages.clear();
        }
        let progress = frame.payload.get("progress").and_then(serde_json::Value::as_i64).unwrap_or(100);
        self.stages.insert(subject, Stage { position: frame.id.unwrap_or_default(), progress });
    }
}
