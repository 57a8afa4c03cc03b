//! Unmodified clients of others talk to a websocket server of ours: Chromium, npm's `ws`, Python's
//! `websockets`; with and without compression, and with messages in fragments where they can send such.
//!
//! The stories themselves are `browser/websocket.mjs`, `browser/ws.mjs` and `python/websockets_client.py`.
//! Each talks to the paths `/plain`, `/shared` and `/dedicated`; those that are not browsers do so over TLS, too.

mod support;

use greenwire::http::{Request, Response, Server};
use greenwire::net::tls::Acceptor;
use greenwire::thread;
use greenwire::websocket::{Compression, Config, WebSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::skip;

/// Starts the server; its address.
fn serve() -> String {
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("it is bound");
    thread::spawn(move || server.serve(answer));
    address.to_string()
}

/// Starts the server over TLS; its address, and the file with the certificate to trust.
fn serve_tls(name: &str) -> (String, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is valid");
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
    std::fs::write(&file, &chain).expect("a file");
    let acceptor = Acceptor::from_pem(chain.as_bytes(), key.as_bytes()).expect("as made");
    let server = Server::bind("localhost:0").expect("a free port");
    let address = server.local_addr().expect("it is bound");
    thread::spawn(move || server.tls(acceptor).serve(answer));
    (format!("localhost:{}", address.port()), file)
}

fn answer(request: Request) -> Response {
    let compression = match request.uri().path() {
        "/" => return greenwire::http::html("<title>websocket</title>"),
        "/plain" => None,
        "/shared" => Some(Compression::shared()),
        _ => Some(Compression::dedicated().threshold(1)),
    };
    let config = Config::default()
        .compression(compression)
        .subprotocols(["echo"]);
    config.upgrade(request, echo)
}

fn echo(mut ws: WebSocket) -> Result<(), greenwire::websocket::Error> {
    while let Some(message) = ws.receive()? {
        match message.as_text() {
            Some("close") => ws.close(4001, "as you wish")?,
            Some("ping") => ws.ping(b"are you there?")?,
            _ => ws.send(message)?,
        }
    }
    Ok(())
}

#[test]
fn chromium() {
    let browser = ["chromium", "chromium-browser", "google-chrome"];
    let Some(browser) = browser.into_iter().find(|name| runs(name)) else {
        return skip("chromium");
    };
    let Some(mut node) = node("websocket.mjs", "playwright-core") else {
        return;
    };
    play(node.arg(serve()).arg(browser));
}

#[test]
fn npm_ws() {
    let story = || node("ws.mjs", "ws");
    if let (Some(mut plain), Some(mut secret)) = (story(), story()) {
        play(plain.arg(serve()));
        let (address, certificate) = serve_tls("npm_ws");
        play(secret.arg(address).arg(certificate));
    }
}

#[test]
fn python_websockets() {
    let python = root().join("target/python/bin/python");
    if !python.exists() {
        return skip("websockets (`python3 -m venv target/python`, pip install websockets)");
    }
    let script = root().join("tests/python/websockets_client.py");
    play(Command::new(&python).arg(&script).arg(serve()));
    let (address, certificate) = serve_tls("python_websockets");
    play(
        Command::new(python)
            .arg(script)
            .arg(address)
            .arg(certificate),
    );
}

/// The command that runs a story of `tests/browser` which needs `package`.
fn node(script: &str, package: &str) -> Option<Command> {
    let folder = root().join("tests/browser");
    if !runs("node") {
        skip("node");
        return None;
    }
    if !folder.join("node_modules").join(package).exists() {
        skip(&format!("{package} (`npm ci` in tests/browser)"));
        return None;
    }
    let mut node = Command::new("node");
    node.arg(folder.join(script));
    Some(node)
}

fn play(story: &mut Command) {
    let output = story.output().expect("it runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
