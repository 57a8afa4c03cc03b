//! A client that writes bytes and reads answers.

use crate::PATIENCE;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

pub(crate) struct Client(TcpStream);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status line and headers, but for the date.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> &str {
        &self.head["HTTP/1.1 ".len()..][..3]
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let value = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
        value.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(stream)
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.0.write_all(request.as_bytes()).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", "");
        self.answer()
    }

    /// The next answer, whose length is told.
    pub(crate) fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        Answer { head, body }
    }

    /// The next head.
    pub(crate) fn head(&mut self) -> String {
        let head = self.read_until("\r\n\r\n");
        let lines = head.lines().filter(|line| !line.starts_with("date: "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    pub(crate) fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let mut byte = [0];
            let count = self.0.read(&mut byte).unwrap();
            assert_eq!(count, 1, "ended after {:?}", String::from_utf8_lossy(&text));
            text.push(byte[0]);
        }
        String::from_utf8(text).unwrap()
    }
}
