//! A client that speaks raw requests and raw frames, with a deadline on every wait.

use super::PATIENCE;
use greenwire_websocket::{self as websocket, Message, WebSocket};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn check(&self, status: u16, body: &str) -> &Answer {
        let found = (self.status, self.body.as_str());
        assert_eq!(found, (status, body), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn refused(&self) -> &Answer {
        assert_eq!(self.status, 400, "{self:?}");
        self
    }
}

/// A request on a connection of its own, whose answer has not been read.
pub(crate) struct Asking(TcpStream);

impl Asking {
    /// `head` is the request line without the version, and headers on further lines.
    pub(crate) fn new(addr: SocketAddr, head: &str, body: &str) -> Asking {
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let mut request = format!("{line} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
        for header in headers.lines() {
            request += &format!("{header}\r\n");
        }
        if !headers.contains("Content-Length") {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += &format!("\r\n{body}");
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses need not read all of it.
        let _ = stream.write_all(request.as_bytes());
        Asking(stream)
    }

    #[track_caller]
    pub(crate) fn answer(mut self) -> Answer {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Hangs up.
    pub(crate) fn abort(self) {
        self.0.shutdown(Shutdown::Both).unwrap();
    }
}

#[track_caller]
pub(crate) fn ask(addr: SocketAddr, head: &str, body: &str) -> Answer {
    Asking::new(addr, head, body).answer()
}

/// A session over requests.
#[derive(Clone, Debug)]
pub(crate) struct Polling {
    pub(crate) addr: SocketAddr,
    pub(crate) path: String,
    pub(crate) sid: String,
}

impl Polling {
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr, path: &str) -> Polling {
        let answer = ask(addr, &format!("GET {path}?EIO=4&transport=polling"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let hello: serde_json::Value = serde_json::from_str(&answer.body[1..]).unwrap();
        let (path, sid) = (path.to_owned(), hello["sid"].as_str().unwrap().to_owned());
        Polling { addr, path, sid }
    }

    fn head(&self, method: &str) -> String {
        let Polling { path, sid, .. } = self;
        format!("{method} {path}?EIO=4&transport=polling&sid={sid}")
    }

    pub(crate) fn asking(&self) -> Asking {
        Asking::new(self.addr, &self.head("GET"), "")
    }

    #[track_caller]
    pub(crate) fn get(&self) -> Answer {
        self.asking().answer()
    }

    #[track_caller]
    pub(crate) fn post(&self, body: &str) -> Answer {
        ask(self.addr, &self.head("POST"), body)
    }

    #[track_caller]
    pub(crate) fn ask(&self, method: &str, headers: &str, body: &str) -> Answer {
        ask(
            self.addr,
            &format!("{}\n{headers}", self.head(method)),
            body,
        )
    }

    /// Waits until its next poll is refused, which it is when the session has ended.
    #[track_caller]
    pub(crate) fn expect_end(&self) {
        let start = Instant::now();
        loop {
            let answer = self.get();
            if answer.status == 400 {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{answer:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// A websocket for the same session.
    pub(crate) fn websocket(&self) -> Result<Ws, websocket::Error> {
        let Polling { addr, path, sid } = self;
        Ws::connect(&format!(
            "ws://{addr}{path}?EIO=4&transport=websocket&sid={sid}"
        ))
    }
}

/// A websocket.
pub(crate) struct Ws(WebSocket);

impl Ws {
    pub(crate) fn connect(url: &str) -> Result<Ws, websocket::Error> {
        let config = websocket::Config::default()
            .heartbeat(None)
            .idle_timeout(PATIENCE)
            .handshake_timeout(PATIENCE);
        config.connect(url).map(Ws)
    }

    /// A session over it, whose hello has been read.
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr, path: &str) -> Ws {
        let url = format!("ws://{addr}{path}?EIO=4&transport=websocket");
        let mut ws = Ws::connect(&url).unwrap();
        let hello = ws.receive();
        assert!(hello.starts_with("0{"), "{hello}");
        ws
    }

    pub(crate) fn send(&mut self, text: &str) -> &mut Ws {
        self.0.send(text).unwrap();
        self.0.flush();
        self
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> &mut Ws {
        self.0.send(bytes).unwrap();
        self.0.flush();
        self
    }

    #[track_caller]
    pub(crate) fn receive(&mut self) -> String {
        match self.0.receive().unwrap().expect("a message") {
            Message::Text(text) => text,
            Message::Binary(bytes) => panic!("{bytes:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> &mut Ws {
        assert_eq!(self.receive(), text);
        self
    }

    #[track_caller]
    pub(crate) fn expect_bytes(&mut self, bytes: &[u8]) -> &mut Ws {
        let message = self.0.receive().unwrap().expect("a message");
        assert_eq!(message, Message::Binary(bytes.to_vec()));
        self
    }

    /// Whatever the server sends first, it closes.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) -> Option<u16> {
        while let Ok(Some(message)) = self.0.receive() {
            assert_eq!(message.as_text(), Some("2"), "only pings may come");
        }
        self.0.close_reason().map(|reason| reason.code())
    }
}
