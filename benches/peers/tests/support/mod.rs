//! Starting servers, and simple clients for them.

use greenwire_bench_peers::{Peer, Service};
use socket2::{Domain, Socket, Type};
use std::env;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::time::Duration;
use tungstenite::WebSocket;

const DEADLINE: Duration = Duration::from_secs(20);

/// A running server, killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
}

/// The command that starts the peer; `None` if something that it needs is not there.
pub(crate) fn command(peer: &Peer, service: Service) -> Option<Command> {
    match peer.command(service) {
        Ok(command) => Some(command),
        Err(error) if error.kind() == ErrorKind::NotFound => skip(peer),
        Err(error) => panic!("{}: {error}", peer.name),
    }
}

fn skip<T>(peer: &Peer) -> Option<T> {
    println!("skipped: {} not found", peer.name);
    assert!(env::var_os("CI").is_none(), "{} not found", peer.name);
    None
}

pub(crate) fn start(peer: &Peer, service: Service, workers: usize) -> Option<Server> {
    let mut command = command(peer, service)?;
    command.args(["--port", "0", "--workers", &workers.to_string()]);
    wait_until_ready(peer, command)
}

pub(crate) fn start_sharing(peer: &Peer, service: Service, port: u16) -> Option<Server> {
    let mut command = command(peer, service)?;
    command.args(["--port", &port.to_string(), "--reuse-port"]);
    wait_until_ready(peer, command)
}

fn wait_until_ready(peer: &Peer, mut command: Command) -> Option<Server> {
    let mut process = match command.spawn() {
        Ok(process) => process,
        Err(error) if error.kind() == ErrorKind::NotFound => return skip(peer),
        Err(error) => panic!("{}: {error}", peer.name),
    };
    let mut line = String::new();
    let output = process.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    let port = line.trim_end().strip_prefix("listening on 127.0.0.1:");
    let Some(port) = port.and_then(|port| port.parse().ok()) else {
        process.kill().unwrap();
        panic!("{} said {line:?}", peer.name);
    };
    Some(Server { process, port })
}

impl Server {
    pub(crate) fn connect(&self) -> TcpStream {
        with_deadline(TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }

    /// A connection that takes in little before it is read.
    pub(crate) fn connect_narrow(&self) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], self.port));
        socket.connect(&addr.into()).unwrap();
        with_deadline(socket.into())
    }

    pub(crate) fn websocket(&self, path: &str) -> WebSocket<TcpStream> {
        let url = format!("ws://127.0.0.1:{}{path}", self.port);
        tungstenite::client(url, self.connect()).unwrap().0
    }
}

fn with_deadline(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which the test has noticed then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A response.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: Vec<(String, String)>,
}

impl Reply {
    /// Reads one, and not a byte more.
    pub(crate) fn read(stream: &mut TcpStream) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let status = status.parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut reply = Reply {
            status,
            body: String::new(),
            headers: headers.collect(),
        };
        let length = reply.header("content-length").expect("a Content-Length");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
