//! `comet_chat`, over each transport of our script, and with Shaveet's own script, unmodified, in its place.
//!
//! shaveet.js, of the Python package `shaveet`, is looked for in `target/shaveet`.

use crate::support::{Website, play_with, skip};
use std::path::Path;

#[test]
fn by_websocket() {
    chat("websocket", "");
}

#[test]
fn by_server_sent_events() {
    chat("eventsource", "");
}

#[test]
fn by_polls() {
    chat("cors", "");
}

#[test]
fn by_scripts() {
    chat("jsonp", "");
}

#[test]
fn by_whatever_works() {
    chat("whatever", "");
}

#[test]
fn with_shaveets_script_by_polls() {
    chat_with_shaveet("shaveet-cors");
}

#[test]
fn with_shaveets_script_by_scripts() {
    chat_with_shaveet("shaveet-jsonp");
}

fn chat_with_shaveet(name: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/shaveet/shaveet.js");
    match script.to_str().filter(|_| script.exists()) {
        Some(script) => chat(name, script),
        None => skip("shaveet.js (see .ci/run)"),
    }
}

/// `script` is the path of shaveet.js, or empty for our own.
fn chat(name: &str, script: &str) {
    let site = Website::start("comet_chat", &["--port", "0"]);
    play_with("comet.mjs", &site, name, &[script]);
}
