//! The head of a response, from a server or a proxy.

use super::{Deadline, timed_out};
use crate::{Error, HandshakeError};
use greenwire_net::Stream;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::io::{self, Read as _};

/// A head may have this many bytes and headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;

pub(super) struct Head {
    pub(super) status: u16,
    headers: HeaderMap,
}

impl Head {
    /// Reads a head; with it come the bytes that were read beyond it.
    pub(super) fn read(mut stream: &Stream, deadline: Deadline) -> Result<(Head, Vec<u8>), Error> {
        let mut bytes = Vec::new();
        loop {
            stream.set_read_timeout(Some(deadline.left()?))?;
            let mut chunk = [0; 2048];
            match stream.read(&mut chunk) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(timed_out().into());
                }
                Err(error) => return Err(error.into()),
            }
            while let Some((head, size)) = Head::parse(&bytes)? {
                let rest = bytes.split_off(size);
                if !head.is_interim() {
                    return Ok((head, rest));
                }
                bytes = rest;
            }
            if bytes.len() > MAX_HEAD {
                return Err(HandshakeError::BadResponse("head too long").into());
            }
        }
    }

    /// The headers of a 101.
    pub(super) fn switched(self) -> Result<HeaderMap, HandshakeError> {
        match self.status {
            101 => Ok(self.headers),
            status @ 300..400 => {
                let location = self.headers.get(header::LOCATION);
                let location = location.and_then(|url| url.to_str().ok());
                Err(HandshakeError::Redirect {
                    status,
                    location: location.map(str::to_owned),
                })
            }
            status => Err(HandshakeError::Status(status)),
        }
    }

    /// A head, and its length; `None` while it is incomplete.
    /// Whether another response follows (RFC 9110 §15.2).
    fn is_interim(&self) -> bool {
        self.status != 101 && (100..200).contains(&self.status)
    }

    fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, HandshakeError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        let size = match response.parse(bytes) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(HandshakeError::BadResponse("not HTTP")),
        };
        let mut headers = HeaderMap::new();
        for field in response.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes());
            let value = HeaderValue::from_bytes(field.value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(HandshakeError::BadResponse("invalid header"));
            };
            headers.append(name, value);
        }
        let status = response.code.unwrap_or_default();
        Ok(Some((Head { status, headers }, size)))
    }
}
