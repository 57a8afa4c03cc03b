//! Every example that has a page, in a real browser: two people, and what one does, the other sees. The consoles stay
//! clean, and screenshots are left in `target/…/artifacts`.
//!
//! Needs node, Chromium, and what `npm ci` installs in `tests/browser`, where the stories themselves are: `echo.mjs`
//! and so on.

mod comet;
#[cfg(feature = "redis")]
mod redis;
mod socketio;
mod sockjs;
#[path = "../support/mod.rs"]
mod support;

use support::{Website, play};

/// An example whose argument is a port.
fn play_on_a_free_port(example: &str, story: &str) {
    play(story, &Website::start(example, &["0"]), example);
}

#[test]
fn bottle_echo() {
    play_on_a_free_port("bottle_echo", "echo.mjs");
}

#[test]
fn flask_echo() {
    play_on_a_free_port("flask_echo", "echo.mjs");
}

#[test]
fn chatty() {
    play_on_a_free_port("chatty", "chatty.mjs");
}

#[test]
fn slides() {
    play_on_a_free_port("slides", "slides.mjs");
}

#[test]
fn full_duplex() {
    play_on_a_free_port("full_duplex", "full_duplex.mjs");
}

#[test]
fn refresh() {
    play_on_a_free_port("refresh", "refresh.mjs");
}

#[test]
#[cfg(feature = "client")]
fn stream_relay() {
    play_on_a_free_port("stream_relay", "stream_relay.mjs");
}

#[test]
fn webchat() {
    play("webchat.mjs", &Website::start("webchat", &["0"]), "green");
}

#[test]
fn relay() {
    play("relay.mjs", &Website::relay(&[]), "green");
}

#[test]
fn relay_on_os_threads() {
    play("relay.mjs", &Website::relay(&["--threads"]), "threads");
}
