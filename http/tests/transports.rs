//! The same server over TLS and over Unix sockets, and behind proxies.

#![cfg(feature = "tls")]

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{Config, Error, Peer, Proxies, Request, Response, Server, upgrade};
use greenwire_net::tls::rustls::pki_types::CertificateDer;
use greenwire_net::tls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use greenwire_net::tls::{self, Acceptor, Connector, TlsStream};
use greenwire_net::{SocketAddr, TcpStream};
use greenwire_runtime::thread;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

fn tell(request: Request) -> String {
    let peer = Peer::of(&request).unwrap();
    let ip = peer.ip().map_or("nobody".to_owned(), |ip| ip.to_string());
    let host = peer.forwarded_host().unwrap_or("as asked");
    format!("{ip} by {} to {host}", peer.scheme())
}

/// A certificate of one test run, for `localhost`.
struct Certificate {
    pem: String,
    key: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Certificate {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Certificate {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            der: made.cert.der().clone(),
        }
    }

    fn acceptor(&self) -> Acceptor {
        Acceptor::from_pem(self.pem.as_bytes(), self.key.as_bytes()).unwrap()
    }

    fn connect(&self, addr: SocketAddr, alpn: &[&str]) -> Result<TlsStream, tls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let connector = Connector::from_config(Arc::new(config));
        connector
            .alpn(alpn.iter().copied())
            .connect("localhost", stream)
    }
}

fn read_until(stream: &mut impl Read, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "closed");
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn in_secret(mut request: Request) -> Result<Response, Error> {
    Ok(match request.uri().path() {
        "/echo" => Response::new(request.body_mut().read_to_vec()?.into()),
        "/upgrade" => upgrade(Response::default(), |upgraded| {
            let (mut stream, _) = upgraded.into_parts();
            stream.write_all(b"secretly upgraded").unwrap();
        }),
        _ => Response::new(tell(request).into()),
    })
}

#[test]
fn over_tls() {
    let certificate = Certificate::new();
    let server = Server::bind("127.0.0.1:0")
        .unwrap()
        .tls(certificate.acceptor());
    let (addr, handle) = (server.local_addr().unwrap(), server.handle());
    let serving = thread::spawn(move || server.serve(in_secret));
    let mut client = certificate.connect(addr, &["h2", "http/1.1"]).unwrap();
    assert_eq!(client.alpn_protocol().as_deref(), Some(&b"http/1.1"[..]));
    client.write_all(GET.repeat(3).as_bytes()).unwrap();
    for _ in 0..3 {
        read_until(&mut client, "127.0.0.1 by https to as asked");
    }
    let body = "x".repeat(300_000);
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all((head + &body).as_bytes()).unwrap();
    read_until(&mut client, "\r\n\r\n");
    let mut back = vec![0; body.len()];
    client.read_exact(&mut back).unwrap();
    assert!(back == body.as_bytes());
    client
        .write_all(GET.replace("/ ", "/upgrade ").as_bytes())
        .unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("secretly upgraded"), "{rest}");

    // Somebody who speaks no TLS, or not HTTP/1.1, is refused; somebody who says nothing holds up nothing.
    let mut plain = Client::new(addr);
    plain.send(GET);
    assert!(statuses(&plain.read_to_close()).is_empty());
    assert!(certificate.connect(addr, &["h2"]).is_err());
    let idle = certificate.connect(addr, &[]).unwrap();
    let silent = TcpStream::connect(addr).unwrap();
    assert_eq!(handle.shutdown(PATIENCE), 0);
    serving.join().unwrap().unwrap();
    drop((idle, silent));
}

#[test]
fn over_a_unix_socket() {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("greenwire-http-{}", std::process::id()));
    let server = Server::bind_unix(&path).unwrap();
    let handle = server.handle();
    let serving = thread::spawn(move || server.serve(tell));
    let mut client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(GET.repeat(2).as_bytes()).unwrap();
    for _ in 0..2 {
        read_until(&mut client, "nobody by http to as asked");
    }
    assert_eq!(handle.shutdown(PATIENCE), 0);
    serving.join().unwrap().unwrap();
    std::fs::remove_file(path).unwrap();
}

fn ask(addr: SocketAddr, header: &str) -> String {
    let answer = exchange(
        addr,
        format!("GET / HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n"),
    );
    answer.rsplit("\r\n\r\n").next().unwrap().to_owned()
}

#[test]
fn behind_a_proxy_that_is_believed() {
    let proxies = Proxies::forwarded(["127.0.0.0/8"]).unwrap();
    let addr = start(Config::default().proxies(proxies), tell);
    let header = "Forwarded: for=6.6.6.6, for=\"[2001:db8::1]:4711\";proto=https;host=a.b";
    assert_eq!(ask(addr, header), "2001:db8::1 by https to a.b");
    // The other header is the client's own.
    assert_eq!(
        ask(addr, "X-Forwarded-For: 1.2.3.4"),
        "127.0.0.1 by http to as asked"
    );
}

#[test]
fn nobody_is_believed_unless_told() {
    let addr = start(Config::default(), tell);
    let elsewhere = Proxies::x_forwarded(["10.0.0.1"]).unwrap();
    let strict = start(Config::default().proxies(elsewhere), tell);
    for addr in [addr, strict] {
        for header in [
            "Forwarded: for=1.2.3.4",
            "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https",
        ] {
            assert_eq!(ask(addr, header), "127.0.0.1 by http to as asked");
        }
    }
}
