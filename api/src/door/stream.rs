//! The bytes of a connection, and the times within which they must move.
//!
//! The library has one time for a head, which also ends a connection that rests between two requests. These are two
//! times: a rest is cheap and a head that never ends is an attack.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::guests::Guest;
use super::line::{Line, Period};
use super::refusal;

/// A head must be whole so long after its first byte, and the first one so long after the connection was opened.
pub const HEAD_MAX: Duration = Duration::from_secs(10);
/// A connection may rest so long between two requests.
pub const IDLE_MAX: Duration = Duration::from_secs(75);
/// A client that takes nothing of its answer for so long is gone.
const STALLED_MAX: Duration = Duration::from_secs(30);
/// After a refusal the client may go on sending for so long: an answer that is followed by a reset is often lost.
const LINGER_MAX: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 1 << 20;

/// A connection that was let in; its place is free again when this is dropped, also after an upgrade.
pub struct GuestStream {
    stream: TcpStream,
    guest: Guest,
    head: Option<Head>,
    reading: Alarm,
    stalled_since: Option<Instant>,
    writing: Alarm,
    /// The rest of an answer that goes out instead of the library's own.
    refusal: Option<Bytes>,
    was_refused: bool,
}

/// The part of a head that has arrived.
struct Head {
    period: Period,
    began: Instant,
    /// The bytes of its first line, which holds the address, and whether they are all of them.
    first_line: usize,
    has_first_line: bool,
}

/// A timer that is moved only when it must be: most of them never ring.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

impl GuestStream {
    pub fn new(stream: TcpStream, guest: Guest) -> Self {
        Self {
            stream,
            guest,
            head: None,
            reading: Alarm::default(),
            stalled_since: None,
            writing: Alarm::default(),
            refusal: None,
            was_refused: false,
        }
    }

    fn line(&self) -> &Line {
        self.guest.line()
    }

    /// The end of the time in which the client must send something; `None` while a request is under way.
    fn due(&self) -> Option<Instant> {
        let since = self.line().waiting_since()?;
        let period = self.line().period()?;
        let rest = if period.is_first() { HEAD_MAX } else { IDLE_MAX };
        let head = self.head.as_ref().filter(|head| head.period == period);
        Some(head.map_or(since + rest, |head| head.began + HEAD_MAX))
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Some(period) = self.line().period().filter(|_| !bytes.is_empty()) else { return };
        let known = self.head.take().filter(|head| head.period == period);
        let mut head = known.unwrap_or_else(|| Head {
            period,
            began: Instant::now(),
            first_line: 0,
            has_first_line: false,
        });
        if !head.has_first_line {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            head.has_first_line = end.is_some();
            head.first_line += end.unwrap_or(bytes.len());
        }
        self.head = Some(head);
    }

    /// The answer that goes out instead of what the library writes by itself.
    fn instead_of(&self, written: &[u8]) -> Option<Bytes> {
        let status = refusal::status_of(written)?;
        let is_address = self.head.as_ref().is_some_and(|head| head.first_line > refusal::URI_BYTES_MAX);
        let is_too_large = status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        // The library reads so much and no more, so it cannot tell a long address from long headers.
        Some(refusal::answer(if is_too_large && is_address { StatusCode::URI_TOO_LONG } else { status }))
    }

    /// Writes the answer that stands for the library's own; `None` where there is none.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, written: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.refusal.is_none() {
            self.refusal = self.instead_of(written);
        }
        let left = self.refusal.as_mut()?;
        while left.has_remaining() {
            match Pin::new(&mut self.stream).poll_write(cx, left) {
                Poll::Ready(Ok(count)) => left.advance(count),
                other => return Some(other),
            }
        }
        self.refusal = None;
        self.was_refused = true;
        Some(Poll::Ready(Ok(written.len())))
    }

    /// Ends a write that has made no progress for too long.
    fn unless_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled_since = None;
            return written;
        }
        let since = *self.stalled_since.get_or_insert_with(Instant::now);
        ready!(self.writing.poll(cx, since + STALLED_MAX));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Lets a client read why it was refused, also one that is still sending. The library has no word at all for what
    /// is of another protocol.
    pub async fn take_leave(mut self, is_unreadable: bool) {
        if is_unreadable && !self.was_refused {
            let refusal = refusal::answer(StatusCode::BAD_REQUEST);
            self.was_refused = self.stream.write_all(&refusal).await.is_ok();
        }
        if !self.was_refused || self.stream.shutdown().await.is_err() {
            return;
        }
        let throw_away = async {
            let (mut bytes, mut all) = ([0; 4096], 0);
            while let Ok(count @ 1..) = self.stream.read(&mut bytes).await {
                all += count;
                if all > LINGER_BYTES_MAX {
                    break;
                }
            }
        };
        let _ = timeout(LINGER_MAX, throw_away).await;
    }
}

impl AsyncRead for GuestStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut me.stream).poll_read(cx, buffer) {
            me.hear(&buffer.filled()[before..]);
            return Poll::Ready(read);
        }
        let Some(due) = me.due() else { return Poll::Pending };
        ready!(me.reading.poll(cx, due));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let written = match me.poll_refusal(cx, bytes) {
            Some(refused) => refused,
            None => Pin::new(&mut me.stream).poll_write(cx, bytes),
        };
        me.unless_stalled(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let refused = if let [only] = slices { me.poll_refusal(cx, only) } else { None };
        let written = match refused {
            Some(refused) => refused,
            None => Pin::new(&mut me.stream).poll_write_vectored(cx, slices),
        };
        me.unless_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
