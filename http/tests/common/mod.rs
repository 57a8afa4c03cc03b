//! A server on port 0 and a client that speaks raw bytes, with a deadline on every wait.
#![allow(dead_code, reason = "each test file uses its part")]

use greenwire_http::{Config, Handler, Server};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// No test waits longer for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Starts a server that lives as long as the test program.
pub(crate) fn start(config: Config, handler: impl Handler) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap().config(config);
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve_handler(handler));
    addr
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client(stream)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Says that this was all; what is then read to the end is the whole answer.
    pub(crate) fn finish(&mut self) -> String {
        self.0.shutdown(Shutdown::Write).unwrap();
        self.read_to_close()
    }

    /// All until the server closes; a reset counts as the end.
    pub(crate) fn read_to_close(&mut self) -> String {
        let (mut all, mut buf) = (Vec::new(), [0; 4096]);
        loop {
            match self.0.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => all.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the server does not close: {error}"),
            }
        }
        without_dates(&String::from_utf8_lossy(&all))
    }

    /// Reads until `end` has come.
    pub(crate) fn read_until(&mut self, end: &str) -> String {
        let (mut all, mut byte) = (Vec::new(), [0]);
        while !all.ends_with(end.as_bytes()) {
            let text = String::from_utf8_lossy(&all);
            assert_eq!(self.0.read(&mut byte).unwrap(), 1, "closed after {text:?}");
            all.push(byte[0]);
        }
        without_dates(&String::from_utf8_lossy(&all))
    }
}

/// Drops the `Date` headers, which must be there.
fn without_dates(text: &str) -> String {
    text.split_inclusive("\r\n")
        .filter(|line| !line.starts_with("date: "))
        .collect()
}

/// Sends `request`, ends the sending, gives the whole answer.
pub(crate) fn exchange(addr: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut client = Client::new(addr);
    client.send(request);
    client.finish()
}

/// The statuses of a whole answer.
pub(crate) fn statuses(answer: &str) -> Vec<&str> {
    let heads = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|head| head.get(..3));
    heads
        .filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}
