//! Whom a client trusts by default: whom the system trusts. Each story needs an environment of its own, and so
//! a process of its own.

#![cfg(all(feature = "tls", target_os = "linux"))]

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use certificates::authority;
use greenwire_net::tls::{Acceptor, Connector, Error};
use greenwire_runtime::thread;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};
use support::{Folder, on_both, pair_of_ours};

/// Where the child finds the server's certificate and key.
const IDENTITY: &str = "GREENWIRE_TEST_IDENTITY";

/// Runs `story` in a process for which `authorities` is the system's list.
fn run(story: &str, folder: &Folder, authorities: &str) {
    let (list, none) = (folder.path("list.pem"), folder.path("none"));
    fs::write(&list, authorities).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", story, "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", list)
        .env("SSL_CERT_DIR", none)
        .env(IDENTITY, folder.path("identity"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn the_systems_authorities_are_trusted() {
    let folder = Folder::new();
    let identity = authority().issue("localhost");
    fs::write(folder.path("identity"), identity.chain + &identity.key).unwrap();
    run("child_trusts", &folder, &authority().pem());
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    run("child_does_not_trust", &folder, &stranger.cert.pem());
    run("child_has_no_authorities", &folder, "");
}

fn shake() -> Result<(), Error> {
    let identity = fs::read(PathBuf::from(env::var_os(IDENTITY).unwrap())).unwrap();
    let acceptor = Acceptor::from_pem(&identity, &identity).unwrap();
    let (server, client) = pair_of_ours();
    let server = thread::spawn(move || acceptor.accept(server));
    let client = Connector::new()?.connect("localhost", client);
    let server = server.join().unwrap();
    assert_eq!(server.is_ok(), client.is_ok());
    client.map(drop)
}

#[test]
#[ignore = "the child process of another story"]
fn child_trusts() {
    on_both(|| shake().unwrap());
}

#[test]
#[ignore = "the child process of another story"]
fn child_does_not_trust() {
    on_both(|| assert!(matches!(shake(), Err(Error::Tls(_)))));
}

#[test]
#[ignore = "the child process of another story"]
fn child_has_no_authorities() {
    on_both(|| assert!(matches!(Connector::new(), Err(Error::Config(_)))));
}
