//! The answers that the HTTP library gives by itself, as problems.
//!
//! A request whose head cannot be read never reaches the service: the library writes a bare status and closes. It
//! lets nobody word that answer, so its bytes are known by their form and others go out instead. An answer of the
//! service never has that form: every one of them carries [`security_headers`](crate::security_headers).

use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use bytes::{BufMut, Bytes, BytesMut};

use crate::problem::ApiError;
use crate::security_headers::security_headers;

/// The longest path and query, in bytes. No client of ours comes near it.
pub const URI_BYTES_MAX: usize = 8 << 10;

const MARKS: [&[u8]; 2] = [b"\r\ncontent-length: 0\r\n", b"\r\nconnection: close\r\n"];
/// A head of the library's own is much shorter.
const BYTES_MAX: usize = 256;

/// The status of an answer that the library gives by itself.
pub fn status_of(written: &[u8]) -> Option<StatusCode> {
    let status = written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let holds = |mark: &[u8]| written.windows(mark.len()).any(|window| window == mark);
    let is_bare = written.len() <= BYTES_MAX && written.ends_with(b"\r\n\r\n");
    let is_own = is_bare && MARKS.iter().all(|mark| holds(mark)) && !holds(b"\r\nx-content-type-options:");
    is_own.then(|| StatusCode::from_bytes(status).ok()).flatten()
}

/// The whole answer for a request that was refused with this status.
pub fn answer(status: StatusCode) -> Bytes {
    let error = match status {
        StatusCode::URI_TOO_LONG => ApiError::UriTooLong,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ApiError::HeadersTooLarge,
        _ => ApiError::Malformed { detail: "this is no request of HTTP/1.1".to_owned() },
    };
    let (status, mut headers, problem) = error.into_problem();
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    security_headers(&mut headers);
    headers.insert(CONTENT_LENGTH, body.len().into());
    headers.insert(CONNECTION, axum::http::HeaderValue::from_static("close"));
    let mut answer = BytesMut::new();
    let reason = status.canonical_reason().unwrap_or_default();
    answer.put_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).as_bytes());
    for (name, value) in &headers {
        answer.put_slice(name.as_ref());
        answer.put_slice(b": ");
        answer.put_slice(value.as_bytes());
        answer.put_slice(b"\r\n");
    }
    answer.put_slice(b"\r\n");
    answer.put_slice(&body);
    answer.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_head_that_closes_is_the_librarys_own() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\
                     date: Tue, 01 Dec 2026 11:41:21 GMT\r\n\r\n";
        assert_eq!(status_of(bare), Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        for other in [
            &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\nx-content-type-options: nosniff\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n{}",
            b"HTTP/1.1 ",
            b"\x81\x05hello",
        ] {
            assert_eq!(status_of(other), None, "{}", String::from_utf8_lossy(other));
        }
        for status in [400, 414, 431] {
            let answer = answer(StatusCode::from_u16(status).unwrap());
            assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
            assert_eq!(status_of(&answer), None, "an answer is replaced once");
        }
    }
}
