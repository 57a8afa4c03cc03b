//! A client that speaks raw bytes, with a deadline on every wait.

use super::PATIENCE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

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
        assert_eq!(
            (self.status, self.body.as_str()),
            (status, body),
            "{self:?}"
        );
        self
    }

    #[track_caller]
    pub(crate) fn has(&self, name: &str, value: &str) -> &Answer {
        assert_eq!(self.header(name), value, "{name} of {self:?}");
        self
    }
}

/// Asks on a connection of its own and reads the whole answer. `head` is the request line without the version,
/// and headers on further lines.
#[track_caller]
pub(crate) fn ask(addr: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = Stream::open(addr, head, body);
    let mut answer = stream.answer.take().unwrap();
    if answer.header("transfer-encoding") == "chunked" {
        while let Some(chunk) = stream.chunk() {
            answer.body.push_str(&chunk);
        }
    } else {
        let length = answer.header("content-length").parse().unwrap_or(0);
        let mut bytes = vec![0; length];
        stream.reader.read_exact(&mut bytes).unwrap();
        answer.body = String::from_utf8(bytes).unwrap();
    }
    answer
}

#[track_caller]
pub(crate) fn get(addr: SocketAddr, path: &str) -> Answer {
    ask(addr, &format!("GET {path}"), "")
}

#[track_caller]
pub(crate) fn post(addr: SocketAddr, path: &str, body: &str) -> Answer {
    ask(addr, &format!("POST {path}"), body)
}

/// An answer whose body is read chunk by chunk.
pub(crate) struct Stream {
    reader: BufReader<TcpStream>,
    pub(crate) answer: Option<Answer>,
}

impl Stream {
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr, head: &str, body: &str) -> Stream {
        let mut stream = Stream::send(addr, head, body);
        stream.answer = Some(stream.read_head());
        stream
    }

    /// Sends a request and waits for nothing.
    pub(crate) fn send(addr: SocketAddr, head: &str, body: &str) -> Stream {
        Stream::write(addr, &request(addr, head, body))
    }

    /// Sends a request and waits until its handler waits: the answer to another one, which came in the same write,
    /// leaves at that moment.
    pub(crate) fn waiting(addr: SocketAddr, service: &str, head: &str) -> Stream {
        let greeting = request(addr, &format!("GET {service}"), "");
        let mut stream = Stream::write(addr, &(greeting + &request(addr, head, "")));
        stream.read_head().has("content-length", "19");
        stream.reader.read_exact(&mut [0; 19]).unwrap();
        stream
    }

    fn write(addr: SocketAddr, bytes: &str) -> Stream {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        Stream {
            reader: BufReader::new(stream),
            answer: None,
        }
    }

    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        assert!(line.ends_with("\r\n"), "closed after {line:?}");
        line.truncate(line.len() - 2);
        line
    }

    fn read_head(&mut self) -> Answer {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                assert_eq!(line, "");
                let body = String::new();
                return Answer {
                    status,
                    headers,
                    body,
                };
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    /// The next chunk; `None` is the end of the body.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let size = usize::from_str_radix(&self.line(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, chunk: &str) {
        assert_eq!(self.chunk().as_deref(), Some(chunk));
    }

    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.chunk(), None);
    }

    /// All until the server closes.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn request(addr: SocketAddr, head: &str, body: &str) -> String {
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let version = if line.contains(" HTTP/") {
        ""
    } else {
        " HTTP/1.1"
    };
    let mut request = format!("{line}{version}\r\nHost: {addr}\r\n");
    for header in headers.lines() {
        request += &format!("{header}\r\n");
    }
    request + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The path of a session that nobody has used.
pub(crate) fn fresh(service: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{service}/000/s{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
