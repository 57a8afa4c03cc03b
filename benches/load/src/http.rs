//! HTTP responses, compared with the first of them.
//!
//! A server that answers the same request again and again sends the same bytes but for the date. So
//! one response is parsed, and those after it are compared; one that is different is parsed again.

use std::io::{Error, ErrorKind, Result};
use std::ops::Range;

const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 16 * 1024;

/// The responses of one connection.
pub(crate) struct Responses {
    /// What each body has to be.
    body: Option<Vec<u8>>,
    /// The response that the next one should be like.
    model: Option<Model>,
    /// The response that has begun.
    begun: Vec<u8>,
}

struct Model {
    bytes: Vec<u8>,
    /// Where the date is, or an empty range at the end.
    date: Range<usize>,
}

impl Responses {
    pub(crate) fn new(body: Option<&str>) -> Responses {
        Responses {
            body: body.map(|body| body.as_bytes().to_vec()),
            model: None,
            begun: Vec::new(),
        }
    }

    /// How many responses end in these bytes, the next that came.
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.begun.is_empty() {
            let (count, used) = self.take(bytes)?;
            self.begun.extend_from_slice(&bytes[used..]);
            return Ok(count);
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(bytes);
        let (count, used) = self.take(&begun)?;
        begun.drain(..used);
        self.begun = begun;
        Ok(count)
    }

    /// The number of whole responses at the front, and their bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(usize, usize)> {
        let (mut count, mut used) = (0, 0);
        while used < bytes.len() {
            let rest = &bytes[used..];
            let known = self.model.as_ref().filter(|model| model.fits(rest));
            let length = match known {
                Some(model) => model.bytes.len(),
                None => match self.parse(rest)? {
                    Some(length) => length,
                    None => break,
                },
            };
            count += 1;
            used += length;
        }
        Ok((count, used))
    }

    /// The length of the response at the front, which becomes the model; `None` while it is incomplete.
    fn parse(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response
            .parse(bytes)
            .map_err(|error| invalid(format!("no HTTP: {error}")))?;
        let httparse::Status::Complete(head) = parsed else {
            let endless = bytes.len() > MAX_HEAD;
            return if endless {
                Err(invalid("the head never ends"))
            } else {
                Ok(None)
            };
        };
        if response.code != Some(200) {
            return Err(invalid(format!(
                "status {}",
                response.code.unwrap_or_default()
            )));
        }
        let find = |name: &str| {
            let mut headers = response.headers.iter();
            headers
                .find(|header| header.name.eq_ignore_ascii_case(name))
                .map(|header| header.value)
        };
        let length = find("content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
        let length = length.ok_or_else(|| invalid("a response without Content-Length"))?;
        let end = head + length;
        let Some(body) = bytes.get(head..end) else {
            return Ok(None);
        };
        if self.body.as_ref().is_some_and(|wanted| wanted != body) {
            return Err(invalid("not the body that was asked for"));
        }
        let date = find("date").map_or(end..end, |date| {
            let start = date.as_ptr().addr() - bytes.as_ptr().addr();
            start..start + date.len()
        });
        self.model = Some(Model {
            bytes: bytes[..end].to_vec(),
            date,
        });
        Ok(Some(end))
    }
}

impl Model {
    /// Whether such a response is at the front of `bytes`.
    fn fits(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.get(..self.bytes.len()) else {
            return false;
        };
        let (before, after) = (..self.date.start, self.date.end..);
        bytes[before] == self.bytes[before] && bytes[after.clone()] == self.bytes[after]
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message.into())
}

/// A request of a client that keeps its connection open.
pub(crate) fn request(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(date: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nDate: {date}\r\nX: y\r\n\r\n{body}")
    }

    #[test]
    fn responses_count_wherever_the_bytes_are_cut() {
        let stream: String = ["12:00", "12:01", "12:02"]
            .map(|date| response(date, "hello"))
            .concat();
        for cut in 1..=stream.len() {
            let mut responses = Responses::new(Some("hello"));
            let chunks = stream.as_bytes().chunks(cut);
            let counts = chunks.map(|chunk| responses.accept(chunk).unwrap());
            assert_eq!(counts.sum::<usize>(), 3, "cut at {cut}");
        }
    }

    #[test]
    fn only_the_date_may_differ_without_a_second_look() {
        let mut responses = Responses::new(None);
        responses
            .accept(response("12:00", "hello").as_bytes())
            .unwrap();
        let model = responses.model.as_ref().unwrap();
        assert!(model.fits(response("12:01", "hello").as_bytes()));
        assert!(!model.fits(response("12:00", "hullo").as_bytes()));
        assert_eq!(
            responses
                .accept(response("12:00", "longer").as_bytes())
                .unwrap(),
            1
        );
    }

    #[track_caller]
    fn check_refused(response: &str) {
        assert!(
            Responses::new(Some("hello"))
                .accept(response.as_bytes())
                .is_err()
        );
    }

    #[test]
    fn wrong_answers_are_refused() {
        check_refused(&response("12:00", "hullo"));
        check_refused("HTTP/1.1 500 Oh\r\ncontent-length: 5\r\n\r\nhello");
        check_refused("HTTP/1.1 200 OK\r\n\r\n");
        check_refused("who is there?");
    }
}
