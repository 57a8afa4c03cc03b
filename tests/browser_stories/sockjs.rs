//! `sockjs_chat`, with unmodified sockjs-client over each of its transports: in Node, and in Chromium from pages of the
//! same and of another origin.

use crate::support::{Website, browser_folder, play, runs, skip};
use std::process::Command;

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
    let story = browser_folder().join("sockjs_node.mjs");
    let url = format!("http://{}/", chat.address);
    let output = Command::new("node").arg(story).arg(url).output();
    let output = output.expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The example, which serves the client that is tested. `None` if that is not there.
fn chat() -> Option<Website> {
    let client = browser_folder().join("node_modules/sockjs-client/dist/sockjs.min.js");
    if !client.exists() {
        skip("sockjs-client (`npm ci` in tests/browser)");
        return None;
    }
    let client = client.to_str().expect("a path that is text");
    let flags = ["--port", "0", "--client", client];
    Some(Website::start("sockjs_chat", &flags))
}
