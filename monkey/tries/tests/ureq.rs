//! The crate ureq, in plain and over TLS, against a slow server of plain std.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use greenwire_monkey_tries::{Folder, Server, patch, side_by_side, spawn};
use greenwire_runtime::time;
use rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

const REQUESTS: usize = 200;
const BUFFER: usize = 16 << 10;

/// Another process, which answers so many requests together, and its port.
fn serve(together: usize, certificate: Option<&Path>) -> (Server, u16) {
    patch();
    let mut command = Command::new(env!("CARGO_BIN_EXE_slow_server"));
    Server::announced(command.arg(together.to_string()).args(certificate))
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
    let (_server, port) = serve(REQUESTS, None);
    check(
        "plain",
        Agent::new_with_defaults(),
        format!("http://127.0.0.1:{port}/"),
    );
}

/// With a limit, ureq looks up the name on an OS thread, and waits for it in a channel.
#[test]
fn requests_with_a_limit_and_a_name() {
    let (_server, port) = serve(REQUESTS, None);
    let limit = Some(Duration::from_secs(60));
    let agent = Agent::config_builder().timeout_global(limit).build();
    let url = format!("http://localhost:{port}/");
    check("looked up by OS threads", agent.new_agent(), url);
}

/// ureq's own buffers are 512 KiB for each connection, and the kernel clears all of that.
#[test]
fn requests_over_tls_run_side_by_side() {
    let agent = Agent::config_builder;
    let small = || agent().input_buffer_size(BUFFER).output_buffer_size(BUFFER);
    check_tls("TLS", 1, agent());
    check_tls("TLS with small buffers", 1, small());
    check_tls("TLS, all answered together", REQUESTS, agent());
}

fn check_tls(name: &str, together: usize, agent: ConfigBuilder<AgentScope>) {
    let folder = Folder::new("ureq");
    let file = folder.path().join("certificate");
    let (_server, port) = serve(together, Some(&file));
    let certificate = CertificateDer::from(fs::read(file).unwrap());
    let roots = RootCerts::new_with_certs(&[Certificate::from_der(&certificate).to_owned()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let url = format!("https://localhost:{port}/");
    check(name, agent.tls_config(tls).build().new_agent(), url);
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
