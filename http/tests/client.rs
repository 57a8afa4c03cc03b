//! The client against our own server and against peers that misbehave. One worker: whatever held it
//! up would hold up all.

mod common;

use common::start;
use greenwire_http::client::{self, Agent, Error};
use greenwire_http::{Body, Config, Request, Response};
use greenwire_runtime::sync::{Barrier, mpsc};
use greenwire_runtime::{Builder, thread};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Once;
use std::time::{Duration, Instant};

fn one_worker() {
    static ONE_WORKER: Once = Once::new();
    ONE_WORKER.call_once(|| Builder::new().workers(1).start().unwrap());
}

/// Runs the story on a green thread of the one worker.
fn on_green(story: impl FnOnce() + Send + 'static) {
    one_worker();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _end = end;
        story();
    });
    let hangs = ended.recv_timeout(Duration::from_secs(20));
    assert_ne!(hangs, Err(std::sync::mpsc::RecvTimeoutError::Timeout));
    thread.join().unwrap();
}

fn handle(mut request: Request) -> Response {
    match request.uri().path() {
        "/echo" => Response::new(request.body_mut().read_to_vec().unwrap().into()),
        "/large" => Response::new(Body::writer(|out| out.write_all(&vec![b'x'; 1 << 20]))),
        "/never" => {
            thread::sleep(Duration::from_secs(1000));
            Response::default()
        }
        path => Response::new(path.to_owned().into()),
    }
}

#[test]
fn a_hundred_requests_are_under_way_at_once() {
    one_worker();
    let all = Barrier::new(100);
    let addr = start(Config::default(), move |_: Request| {
        // Nobody gets an answer before all have asked.
        all.wait();
        "waited"
    });
    on_green(move || {
        let agent = client::agent();
        let requests: Vec<_> = (0..100)
            .map(|_| {
                let agent = agent.clone();
                thread::spawn(move || {
                    let mut response = agent.get(format!("http://{addr}/")).call().unwrap();
                    response.body_mut().read_to_string().unwrap()
                })
            })
            .collect();
        for request in requests {
            assert_eq!(request.join().unwrap(), "waited");
        }
    });
}

#[test]
fn bodies_and_connections_that_are_used_again() {
    let addr = start(Config::default(), handle);
    let story = move || {
        let agent = client::agent();
        let url = |path: &str| format!("http://localhost:{}{path}", addr.port());
        for _ in 0..3 {
            let mut response = agent.post(url("/echo")).send("text").unwrap();
            assert_eq!(response.body_mut().read_to_string().unwrap(), "text");
        }
        let mut response = agent.get(url("/large")).call().unwrap();
        let large = response.body_mut().read_to_vec().unwrap();
        assert!(large.len() == 1 << 20 && large.iter().all(|byte| *byte == b'x'));
        let mut response = agent.get(url("/path")).call().unwrap();
        assert_eq!(response.body_mut().read_to_string().unwrap(), "/path");
    };
    story();
    on_green(story);
}

#[test]
fn a_server_that_does_not_answer() {
    on_green(|| {
        let addr = start(Config::default(), handle);
        let limit = Duration::from_millis(50);
        let config = Agent::config_builder().timeout_global(Some(limit)).build();
        let begin = Instant::now();
        let error = client::agent_with(config)
            .get(format!("http://{addr}/never"))
            .call();
        assert!(matches!(error, Err(Error::Timeout(_))), "{error:?}");
        assert!(begin.elapsed() >= limit);
    });
}

#[test]
fn a_shutdown_of_the_agent_ends_its_requests() {
    on_green(|| {
        let (asked, is_asked) = mpsc::channel();
        let addr = start(Config::default(), move |request: Request| {
            asked.send(()).unwrap();
            handle(request)
        });
        let agent = client::agent();
        let waiting = agent.clone();
        let waiting = thread::spawn(move || waiting.get(format!("http://{addr}/never")).call());
        is_asked.recv().unwrap();
        agent.shutdown();
        assert!(waiting.join().unwrap().is_err());
    });
}

/// A server of one connection that answers with these bytes.
fn answer(bytes: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(common::DEADLINE)).unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(bytes.as_bytes());
    });
    addr
}

#[test]
fn servers_that_break_the_rules() {
    on_green(|| {
        for bytes in [
            "",
            "HTTP/1.1 200",
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ] {
            let call = client::agent()
                .get(format!("http://{}/", answer(bytes)))
                .call();
            let body = call.and_then(|mut response| response.body_mut().read_to_string());
            assert!(body.is_err(), "{bytes:?} gave {body:?}");
        }
        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(
            client::agent()
                .get(format!("http://{nobody}/"))
                .call()
                .is_err()
        );
        assert!(client::agent().get("/no/host").call().is_err());
        #[cfg(not(feature = "tls"))]
        assert!(matches!(
            client::agent()
                .get(format!("https://{}/", answer("")))
                .call(),
            Err(Error::TlsRequired)
        ));
    });
}

#[cfg(feature = "tls")]
#[test]
fn https() {
    use client::ureq::tls::{Certificate, RootCerts, TlsConfig};
    use greenwire_net::{Server, tls::Acceptor};

    one_worker();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let acceptor = Acceptor::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        server.serve(move |stream, _| {
            let Ok(mut stream) = acceptor.accept(stream) else {
                return;
            };
            let _ = stream.read(&mut [0; 4096]);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
            stream.write_all(answer).unwrap();
        })
    });
    on_green(move || {
        let url = format!("https://localhost:{port}/");
        let stranger = client::agent().get(&url).call();
        assert!(stranger.is_err(), "nobody knows the certificate");
        let root = Certificate::from_pem(certificate.as_bytes()).unwrap();
        let roots = RootCerts::new_with_certs(&[root]);
        let tls = TlsConfig::builder().root_certs(roots).build();
        let agent = client::agent_with(Agent::config_builder().tls_config(tls).build());
        let mut response = agent.get(&url).call().unwrap();
        assert_eq!(response.body_mut().read_to_string().unwrap(), "secret");
    });
}
