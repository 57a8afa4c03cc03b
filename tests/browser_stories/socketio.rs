//! Examples on Socket.IO, with unmodified socket.io-client.

use crate::support::{Website, browser_folder, play, skip};

#[test]
fn simple_chat() {
    story("simple_chat", "simple_chat.mjs");
}

#[test]
fn tictactoe() {
    story("tictactoe", "tictactoe.mjs");
}

#[test]
fn conference() {
    story("conference", "conference.mjs");
}

#[test]
fn chat() {
    story("socketio_chat", "socketio_chat.mjs");
}

#[test]
fn live_cpu_graph() {
    story("live_cpu_graph", "live_cpu_graph.mjs");
}

/// Plays with an example that serves the client from a folder.
fn story(example: &str, story: &str) {
    let client = browser_folder().join("node_modules/socket.io-client/dist");
    match client.to_str().filter(|_| client.exists()) {
        Some(folder) => play(story, &Website::start(example, &["0", folder]), "green"),
        None => skip("socket.io-client (`npm ci` in tests/browser)"),
    }
}
