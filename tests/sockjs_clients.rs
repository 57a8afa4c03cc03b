//! People with unmodified sockjs-client meet in the example `sockjs_chat`, over each of its transports: in Node, and
//! in Chromium from pages of the same and of another origin.
//!
//! Needs what `relay_browser.rs` needs, and sockjs-client, which `npm ci` installs, too. The stories themselves are
//! `browser/sockjs_node.mjs` and `browser/sockjs.mjs`.

mod support;

use std::path::Path;
use std::process::Command;
use support::{Website, play, runs, skip};

#[test]
fn chromium() {
    if let Some(chat) = chat() {
        play("sockjs.mjs", &chat, "green");
    }
}

#[test]
fn node() {
    if !runs("node") {
        return skip("node");
    }
    let Some(chat) = chat() else { return };
    let story = folder().join("sockjs_node.mjs");
    let url = format!("http://{}/", chat.address);
    let output = Command::new("node").arg(story).arg(url).output();
    let output = output.expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The example, which serves the client that is tested. `None` if that is not there.
fn chat() -> Option<Website> {
    let client = folder().join("node_modules/sockjs-client/dist/sockjs.min.js");
    if !client.exists() {
        skip("sockjs-client (`npm ci` in tests/browser)");
        return None;
    }
    let client = client.to_str().expect("a path that is text");
    let flags = ["--port", "0", "--client", client];
    Some(Website::start("sockjs_chat", &flags))
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser"))
}
