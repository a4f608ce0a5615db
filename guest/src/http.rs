//! As much of HTTP/1.1 as ports 4088 and 4089 need: one request a stream.

use serde::Serialize;

/// Request head at most.
const MAX_HEAD: usize = 16 * 1024;
/// Request body at most.
const MAX_BODY: usize = 1 << 20;

/// A request's head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// `GET`, `POST`, …
    pub method: String,
    /// Without query.
    pub path: String,
    /// Value of `Upgrade`, if the connection is to be upgraded.
    pub upgrade: Option<String>,
    /// Value of `Content-Length`.
    pub length: Option<usize>,
    /// The client waits to be told to send the body.
    pub expects_continue: bool,
}

/// A whole request; bytes behind it belong to the upgraded protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
    /// What came behind it.
    pub rest: Vec<u8>,
}

/// A status to refuse a request with.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub &'static str);

/// Gathers one request.
#[derive(Default)]
pub struct Reader {
    bytes: Vec<u8>,
    head: Option<(Head, usize)>,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Partial,
    /// More bytes are needed, and the client waits for `100 Continue`.
    Continue,
    /// A request.
    Whole(Request),
}

impl Reader {
    /// Takes more bytes.
    ///
    /// # Errors
    /// The request cannot be accepted.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Progress, Refusal> {
        self.bytes.extend_from_slice(bytes);
        let mut fresh = false;
        if self.head.is_none() {
            self.head = parse(&self.bytes)?;
            fresh = true;
        }
        let Some((head, body_at)) = &self.head else {
            return if self.bytes.len() > MAX_HEAD {
                Err(Refusal(431, "request head too large"))
            } else {
                Ok(Progress::Partial)
            };
        };
        let length = head.length.unwrap_or(0);
        if length > MAX_BODY {
            return Err(Refusal(413, "body over 1 MiB"));
        }
        let end = body_at + length;
        if self.bytes.len() < end {
            let wait = fresh && head.expects_continue;
            return Ok(if wait { Progress::Continue } else { Progress::Partial });
        }
        let body_at = *body_at;
        let rest = self.bytes.split_off(end);
        let body = self.bytes.split_off(body_at);
        let Some((head, _)) = self.head.take() else {
            return Ok(Progress::Partial);
        };
        Ok(Progress::Whole(Request { head, body, rest }))
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let malformed = Refusal(400, "malformed request");
    let body_at = match request.parse(bytes) {
        Ok(httparse::Status::Complete(at)) => at,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(malformed),
    };
    let target = request.path.unwrap_or("/");
    let mut head = Head {
        method: request.method.unwrap_or("").into(),
        path: target.split('?').next().unwrap_or(target).into(),
        upgrade: None,
        length: None,
        expects_continue: false,
    };
    let mut upgrades = false;
    for header in request.headers.iter() {
        let Ok(text) = std::str::from_utf8(header.value) else {
            return Err(malformed);
        };
        let text = text.trim();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let length = digits
                    .then(|| text.parse().unwrap_or(usize::MAX))
                    .ok_or(Refusal(400, "malformed Content-Length"))?;
                if head.length.is_some_and(|known| known != length) {
                    return Err(Refusal(400, "two values of Content-Length"));
                }
                head.length = Some(length);
            }
            "transfer-encoding" => return Err(Refusal(411, "Content-Length required")),
            "connection" => upgrades = text.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade")),
            "upgrade" => head.upgrade = Some(text.into()),
            "expect" => head.expects_continue = text.eq_ignore_ascii_case("100-continue"),
            _ => {}
        }
    }
    if !upgrades {
        head.upgrade = None;
    }
    Ok(Some((head, body_at)))
}

/// The head of an answer whose body is `length` bytes of JSON.
#[must_use]
pub fn answer_head(status: u16, length: usize) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    };
    format!("HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A whole answer.
#[must_use]
pub fn answer(status: u16, json: &impl Serialize) -> Vec<u8> {
    let body = serde_json::to_vec(json).unwrap_or_default();
    let mut bytes = answer_head(status, body.len());
    bytes.extend(body);
    bytes
}

/// `{"error": message}`.
#[must_use]
pub fn refuse(status: u16, message: &str) -> Vec<u8> {
    answer(status, &std::collections::BTreeMap::from([("error", message)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_come_in_pieces_and_be_followed_by_more() {
        let bytes = b"POST /exec?x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: a3s-exec/1\r\nContent-Length: 2\r\n\r\n{}rest";
        let mut reader = Reader::default();
        assert_eq!(reader.feed(&bytes[..30]), Ok(Progress::Partial));
        let Ok(Progress::Whole(request)) = reader.feed(&bytes[30..]) else {
            panic!("not whole");
        };
        assert_eq!(
            (request.head.path.as_str(), request.head.upgrade.as_deref()),
            ("/exec", Some("a3s-exec/1"))
        );
        assert_eq!((request.body, request.rest), (b"{}".to_vec(), b"rest".to_vec()));
    }

    #[test]
    fn refuses_large_and_odd_requests() {
        for (bytes, status) in [
            (&b"POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"[..], 413),
            (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            (b"\xff\xff\xff\r\n\r\n", 400),
        ] {
            assert_eq!(Reader::default().feed(bytes).unwrap_err().0, status);
        }
        assert_eq!(Reader::default().feed(&vec![b'a'; MAX_HEAD + 1]).unwrap_err().0, 431);
    }
}
