//! The crate ureq, in plain and over TLS, against a slow server of plain std.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use greenwire_monkey_tries::{listener, patch, side_by_side, spawn};
use greenwire_runtime::time;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const REQUESTS: usize = 200;
const BUFFER: usize = 16 << 10;
const DELAY: Duration = Duration::from_millis(100);

/// An ordinary server, on OS threads, that answers each request a while after the last one has come.
fn serve<S: Read + Write>(wrap: impl Fn(TcpStream) -> S + Clone + Send + 'static) -> SocketAddr {
    patch();
    let listener = listener();
    let addr = listener.local_addr().unwrap();
    let all = Arc::new(Barrier::new(REQUESTS));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, wrap, all) = (stream.unwrap(), wrap.clone(), all.clone());
            thread::spawn(move || answer(wrap(stream), &all));
        }
    });
    addr
}

fn answer(stream: impl Read + Write, all: &Barrier) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
    all.wait();
    thread::sleep(DELAY);
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    stream.get_mut().write_all(answer).unwrap();
    stream.get_mut().flush().unwrap();
}

fn get(agent: &Agent, url: &str) -> String {
    agent
        .get(url)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap()
}

/// All at the same time, on one worker.
fn check(name: &str, agent: Agent, url: String) {
    let took = side_by_side(REQUESTS, move |_| assert_eq!(get(&agent, &url), "hello"));
    println!("{REQUESTS} requests to a server that waits 100 ms, {name}: {took:?}");
}

#[test]
fn requests_run_side_by_side() {
    let addr = serve(|stream| stream);
    check(
        "plain",
        Agent::new_with_defaults(),
        format!("http://{addr}/"),
    );
}

/// With a limit, ureq looks up the name on an OS thread, and waits for it in a channel.
#[test]
fn requests_with_a_limit_and_a_name() {
    let addr = serve(|stream| stream);
    let limit = Some(Duration::from_secs(60));
    let agent = Agent::config_builder().timeout_global(limit).build();
    let url = format!("http://localhost:{}/", addr.port());
    check("looked up by OS threads", agent.new_agent(), url);
}

#[test]
fn requests_over_tls_run_side_by_side() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
    let config = Arc::new(config);
    let addr = serve(move |stream| {
        StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
    });
    let url = format!("https://localhost:{}/", addr.port());
    let roots = RootCerts::new_with_certs(&[Certificate::from_der(&certificate).to_owned()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let agent = || Agent::config_builder().tls_config(tls.clone());
    check("TLS", agent().build().new_agent(), url.clone());
    // Else it has 512 KiB of them for each connection, and the kernel clears all of that.
    let agent = agent().input_buffer_size(BUFFER).output_buffer_size(BUFFER);
    check("TLS with small buffers", agent.build().new_agent(), url);
}

#[test]
fn a_limit_cuts_a_request_short() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    patch();
    let cut = spawn(move || {
        let request = || Agent::new_with_defaults().get(&url).call().map(drop);
        time::timeout(Duration::from_millis(100), request).is_err()
    });
    assert!(cut.join());
}
