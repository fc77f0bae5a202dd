//! A connection whose bytes a test writes by itself, as no client of HTTP would.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

#[derive(Debug)]
pub struct Raw(BufReader<TcpStream>);

/// An answer, read to the end that it announces.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RawAnswer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The answer must be a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
    }
}

impl Raw {
    /// Connects to a server, as `http://host:port`.
    pub async fn connect(server: &str) -> Self {
        let address = server.strip_prefix("http://").unwrap_or(server);
        Self(BufReader::new(TcpStream::connect(address).await.expect("the server accepts connections")))
    }

    /// Sends bytes; the server may have closed meanwhile.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Sends bytes as far as the server reads them; tells whether all went out in time.
    pub async fn send_within(&mut self, bytes: &[u8], time: Duration) -> bool {
        matches!(timeout(time, self.0.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The next answer; `None` where the server closes instead.
    pub async fn answer(&mut self) -> Option<RawAnswer> {
        timeout(PATIENCE * 2, self.read()).await.expect("the server answers or closes")
    }

    async fn read(&mut self) -> Option<RawAnswer> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match self.0.read_line(&mut line).await {
                Ok(1..) if line != "\r\n" => head.push(line.trim_end().to_owned()),
                Ok(1..) => break,
                _ => return None,
            }
        }
        let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
        let headers = head[1..].iter().filter_map(|line| line.split_once(": "));
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let mut answer = RawAnswer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        answer.body.resize(length, 0);
        self.0.read_exact(&mut answer.body).await.ok()?;
        Some(answer)
    }
}
