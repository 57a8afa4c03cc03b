//! A resolver of the program's own. Alone in its process, which has only one.

mod support;

use greenwire_net::dns::{self, Resolver};
use greenwire_net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use greenwire_runtime::thread;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use support::{on_both, refusing};

static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Knows one host, at an address where nobody is and at one where somebody may be.
struct Own;

impl Resolver for Own {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        ASKED.lock().unwrap().push(host.to_owned());
        // It may wait as everything may.
        thread::sleep(Duration::from_millis(1));
        match host {
            "twice.test" => Ok(vec![
                SocketAddr::from((Ipv4Addr::new(127, 0, 0, 9), port)),
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            ]),
            "empty.test" => Ok(Vec::new()),
            _ => Err(io::Error::new(ErrorKind::NotFound, "no such host")),
        }
    }
}

#[test]
fn every_lookup_goes_through_it() {
    dns::set_resolver(Own).unwrap();
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = TcpStream::connect(("twice.test", port)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        UdpSocket::bind("twice.test:0").unwrap();
        let error = TcpStream::connect("other.test:1").unwrap_err();
        assert_eq!(error.to_string(), "no such host");
        let error = TcpStream::connect("empty.test:1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        // All addresses were tried, and the last one's error is told.
        let (_bound, nobody) = refusing();
        let error = TcpStream::connect(("twice.test", nobody.port())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

        let asked = ASKED.lock().unwrap().len();
        for numeric in ["127.0.0.1:1", "[::1]:1"] {
            numeric.to_socket_addrs().unwrap();
        }
        (String::from("::1"), 1).to_socket_addrs().unwrap();
        assert_eq!(ASKED.lock().unwrap().len(), asked);
    });
    let second = dns::set_resolver(dns::System).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn one_call_can_use_another() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let addrs = dns::System.resolve("localhost", port).unwrap();
    TcpStream::connect(&addrs[..]).unwrap();
}
