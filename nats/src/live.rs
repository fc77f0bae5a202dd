//! Messages that are not history: fine progress and typing to the live router, and hints that wake sleepers.
//! All of it is lost when nobody listens, and nothing depends on it.

use async_nats::{HeaderMap, HeaderName, Message, Subscriber};
use event_log::{Authenticator, EventLog, Forged, Position};
use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Bus, BusError};

const APPENDED: &str = "routix.hint.appended";
const LIVE: &str = "routix.live";

/// A frame for one user's sockets that is not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveFrame {
    pub user_id: Uuid,
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject of the frame; of several held frames only the latest of a subject is sent.
    pub subject: Uuid,
    /// The frame makes sense only after the event of this position.
    pub after_position: Position,
    pub payload: Value,
}

/// All users' live frames.
#[derive(Debug)]
pub struct LiveFrames {
    messages: Subscriber,
    authenticator: Authenticator,
}

/// The header with the authentication value of a frame.
static AUTHENTICATION: HeaderName = HeaderName::from_static("routix-authentication");

impl LiveFrames {
    /// The next frame; `None` when the connection was closed for good.
    pub async fn next(&mut self) -> Option<LiveFrame> {
        loop {
            let message = self.messages.next().await?;
            if let Some(frame) = self.own(&message) {
                return Some(frame);
            }
        }
    }

    /// The frame of a message that this house sent, to the user whom the subject names.
    fn own(&self, message: &Message) -> Option<LiveFrame> {
        let user_id: Uuid = message.subject.rsplit('.').next().unwrap_or_default().parse().ok()?;
        let stated = message.headers.as_ref().and_then(|headers| headers.get(AUTHENTICATION.clone()));
        let value = stated.and_then(|value| hex::decode(value.as_str()).ok()).unwrap_or_default();
        if !self.authenticator.is_frame(user_id, &message.payload, &value) {
            self.authenticator.alarm(Forged::Frame, message.subject.as_str());
            return None;
        }
        let frame: LiveFrame = serde_json::from_slice(&message.payload).ok()?;
        (frame.user_id == user_id).then_some(frame)
    }
}

/// Hints that there is work for a role.
#[derive(Debug)]
pub struct Wakes(Subscriber);

impl Wakes {
    /// Waits for a hint and swallows those that queued up behind it.
    pub async fn next(&mut self) {
        if self.0.next().await.is_none() {
            std::future::pending::<()>().await;
        }
        while let Some(Some(_)) = self.0.next().now_or_never() {}
    }
}

fn wake_subject(role: &str) -> String {
    format!("routix.hint.work.{role}")
}

impl Bus {
    /// Sends a frame to whoever serves the user's sockets.
    pub async fn publish_live(
        &self,
        authenticator: &Authenticator,
        frame: &LiveFrame,
    ) -> Result<(), BusError> {
        let payload = serde_json::to_vec(frame).map_err(BusError::unavailable)?;
        let subject = format!("{LIVE}.{}", frame.user_id);
        let mut headers = HeaderMap::new();
        let value = authenticator.of_frame(frame.user_id, &payload);
        headers.insert(AUTHENTICATION.clone(), hex::encode(value));
        let sent = self.client.publish_with_headers(subject, headers, payload.into());
        sent.await.map_err(BusError::unavailable)
    }

    /// The frames that this house sends; what somebody else sends is passed over, with an alarm.
    pub async fn live_frames(&self, authenticator: Authenticator) -> Result<LiveFrames, BusError> {
        let messages = self.client.subscribe(format!("{LIVE}.*")).await.map_err(BusError::unavailable)?;
        Ok(LiveFrames { messages, authenticator })
    }

    /// Tells the workers of a role that there may be work.
    pub async fn wake(&self, role: &str) -> Result<(), BusError> {
        self.client.publish(wake_subject(role), "".into()).await.map_err(BusError::unavailable)
    }

    pub async fn wakes(&self, role: &str) -> Result<Wakes, BusError> {
        Ok(Wakes(self.client.subscribe(wake_subject(role)).await.map_err(BusError::unavailable)?))
    }

    pub(crate) async fn appended_hints(&self) -> Result<Subscriber, BusError> {
        self.client.subscribe(APPENDED).await.map_err(BusError::unavailable)
    }

    /// Sends a hint after every commit of this process. Runs until the log is dropped.
    pub async fn announce_appends(self, log: EventLog) {
        let mut head = log.appended();
        while head.changed().await.is_ok() {
            let position = head.borrow_and_update().to_string();
            if let Err(error) = self.client.publish(APPENDED, position.into()).await {
                tracing::debug!(%error, "a hint was not sent");
            }
        }
    }
}
