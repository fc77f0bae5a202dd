//! A client of the live stream that remembers every frame it got.

use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::PATIENCE;
use super::client::Client;

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub frames: Vec<Value>,
    /// The code that the server closed the socket with.
    pub closed_with: Option<u16>,
}

impl Socket {
    /// Opens a socket with a ticket, and takes the first frame off it.
    pub async fn open(client: &Client, since: Option<i64>) -> Self {
        let ticket = client.post("/api/v1/auth/ticket", &Value::Null).await.expect(201);
        let ticket = ticket["ticket"].as_str().unwrap().to_owned();
        let since = since.map(|id| format!("&since={id}")).unwrap_or_default();
        let mut socket = Self::try_open(&client.server, &format!("ticket={ticket}{since}")).await.unwrap();
        let first = socket.next().await;
        assert_eq!(first["type"], "connection:established");
        assert_eq!(first["payload"]["user_id"], client.user["id"]);
        socket
    }

    pub async fn try_open(server: &str, query: &str) -> Result<Self, Box<Error>> {
        let address = server.replacen("http", "ws", 1);
        let (stream, _) = connect_async(format!("{address}/ws?{query}")).await.map_err(Box::new)?;
        Ok(Self { stream, frames: vec![], closed_with: None })
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        timeout(PATIENCE, self.read()).await.expect("a frame arrives").expect("the socket is open")
    }

    /// The next frame, however long it takes; `None` when the socket was closed or cut off.
    pub async fn try_next(&mut self) -> Option<Value> {
        self.read().await
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    self.frames.push(frame.clone());
                    return Some(frame);
                }
                Some(Ok(Message::Close(close))) => {
                    self.closed_with = close.map(|frame| frame.code.into());
                    return None;
                }
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads until a frame fits.
    pub async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    /// Reads until the assistant posts a message of this kind.
    pub async fn until_message(&mut self, kind: &str) -> Value {
        let frame = self
            .until(|frame| {
                let message = &frame["payload"]["message"];
                message["type"] == kind && message["role"] == "assistant"
            })
            .await;
        frame["payload"]["message"].clone()
    }

    /// Waits until the server closes the socket.
    pub async fn closed(&mut self) {
        let end = timeout(PATIENCE, async { while self.read().await.is_some() {} }).await;
        end.expect("the socket is closed");
    }

    /// The ids of the stored frames, in the order of their arrival.
    pub fn ids(&self) -> Vec<i64> {
        self.frames.iter().filter_map(|frame| frame["id"].as_i64()).collect()
    }
}
