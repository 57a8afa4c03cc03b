//! A server on port 0 and a raw client that writes and reads bytes, not messages.
#![allow(dead_code, reason = "each test file uses its own part")]

use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, Message, Sender, WebSocket};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// No test waits longer for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A client that masks with a fixed key and sees every byte of the answer.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) fn connect(addr: SocketAddr) -> Raw {
        Raw::connect_with(addr, "").0
    }

    /// Sends more header lines; also returns the head of the answer.
    pub(crate) fn connect_with(addr: SocketAddr, lines: &str) -> (Raw, String) {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(request(addr, lines).as_bytes()).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        (Raw(stream), head)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// One frame, not fragmented and without reserved bits: opcode and payload.
    pub(crate) fn read_frame(&mut self) -> (u8, Vec<u8>) {
        let (first, payload) = self.read_any_frame();
        assert_eq!(first & 0xf0, 0x80, "{first:x}");
        (first & 0x0f, payload)
    }

    /// One frame: first byte and payload.
    pub(crate) fn read_any_frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let len = match head[1] {
            126 => u16::from_be_bytes(self.read_array()) as usize,
            127 => u64::from_be_bytes(self.read_array()) as usize,
            short => usize::from(short),
        };
        let mut payload = vec![0; len];
        self.0.read_exact(&mut payload).unwrap();
        (head[0], payload)
    }

    /// The code of a close frame, which must come next, and the end of the stream after it.
    pub(crate) fn read_close(&mut self) -> u16 {
        let (opcode, payload) = self.read_frame();
        assert_eq!(opcode, 8, "{payload:?}");
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "nothing after the close frame");
        payload
            .first_chunk()
            .map_or(1005, |code| u16::from_be_bytes(*code))
    }

    fn read_array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// A masked frame with all its bits given.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x5a, 0x00, 0xff, 0x13];
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

/// An acceptable request, with more header lines.
pub(crate) fn request(addr: SocketAddr, more: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

/// Bytes up to and including the empty line.
pub(crate) fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Serves `handler` on a port of its own.
pub(crate) fn serve(
    config: Config,
    handler: impl Fn(WebSocket) -> Result<(), Error> + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let server = greenwire_http::Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    thread::spawn(move || server.serve(move |request| config.upgrade(request, handler.clone())));
    addr
}

/// Serves an echo.
pub(crate) fn serve_echo(config: Config) -> SocketAddr {
    serve(config, |mut ws| {
        while let Some(message) = ws.receive()? {
            ws.send(message)?;
        }
        Ok(())
    })
}

/// A server whose connections only listen; their senders come out of the channel.
pub(crate) fn serve_senders(config: Config) -> (SocketAddr, mpsc::Receiver<Sender>) {
    let (tell, told) = mpsc::channel();
    let tell = Arc::new(Mutex::new(tell));
    let addr = serve(config, move |mut ws| {
        tell.lock().unwrap().send(ws.sender()).unwrap();
        while ws.receive()?.is_some() {}
        Ok(())
    });
    (addr, told)
}

/// Connects the crate's own client.
pub(crate) fn connect(addr: SocketAddr) -> WebSocket {
    greenwire_websocket::connect(&format!("ws://{addr}/")).unwrap()
}

/// Waits for something that must happen.
#[track_caller]
pub(crate) fn wait_until(mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !happened() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Receives a message that must come.
#[track_caller]
pub(crate) fn expect(ws: &mut WebSocket) -> Message {
    ws.receive().unwrap().expect("a message, not the end")
}
