//! A client that speaks raw bytes, with a deadline on every wait.

use super::PATIENCE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn check(&self, status: u16, body: &str) -> &Answer {
        assert_eq!((self.status, &*self.body), (status, body), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn has(&self, name: &str, value: &str) -> &Answer {
        assert_eq!(self.header(name), value, "{name} of {self:?}");
        self
    }
}

/// A request whose answer is to come.
pub(crate) struct Asked(BufReader<TcpStream>);

impl Asked {
    /// Sends a request and waits for nothing. `head` is the request line without the version, and headers on further
    /// lines.
    pub(crate) fn send(addr: SocketAddr, head: &str, body: &str) -> Asked {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {addr}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Asked(BufReader::new(stream))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(line.ends_with("\r\n"), "closed after {line:?}");
        line.truncate(line.len() - 2);
        line
    }

    #[track_caller]
    pub(crate) fn answer(mut self) -> Answer {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some((name, value)) = self.line().split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        let mut body = vec![0; answer.header("content-length").parse().unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}

/// Asks on a connection of its own and reads the whole answer.
#[track_caller]
pub(crate) fn ask(addr: SocketAddr, head: &str, body: &str) -> Answer {
    Asked::send(addr, head, body).answer()
}

/// A client that polls.
pub(crate) struct Polling {
    pub(crate) addr: SocketAddr,
    pub(crate) path: String,
}

impl Polling {
    /// Shakes hands, and polls for the first time.
    #[track_caller]
    pub(crate) fn connect(addr: SocketAddr) -> Polling {
        let client = Polling {
            addr,
            path: format!("/socket.io/1/xhr-polling/{}", handshake(addr)),
        };
        let mut told = client.get();
        // Where polls are short the first may be too early.
        while told.body == "8::" {
            told = client.get();
        }
        told.check(200, "1::");
        client
    }

    #[track_caller]
    pub(crate) fn get(&self) -> Answer {
        ask(self.addr, &format!("GET {}?t=1", self.path), "")
    }

    #[track_caller]
    pub(crate) fn post(&self, packet: &str) -> Answer {
        ask(self.addr, &format!("POST {}?t=1", self.path), packet)
    }

    /// Posts, and gets the next answer.
    #[track_caller]
    pub(crate) fn exchange(&self, packet: &str, answer: &str) {
        self.post(packet).check(200, "1");
        self.get().check(200, answer);
    }
}

/// The id that a server gives.
#[track_caller]
pub(crate) fn handshake(addr: SocketAddr) -> String {
    let answer = ask(addr, "GET /socket.io/1/?t=1", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.split(':').next().unwrap().to_owned()
}
