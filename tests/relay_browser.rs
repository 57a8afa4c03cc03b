//! Two people open the relay's page in a real browser: the graphs move, the chat reaches both.
//!
//! Needs node, Chromium and the driver that `npm ci` installs in `tests/browser`; `browser/relay.mjs`
//! is the story itself. Screenshots are left in `target/…/artifacts`.

mod support;

use support::{Website, play};

#[test]
fn two_people_watch_and_chat() {
    play("relay.mjs", &Website::relay(&[]), "green");
}

#[test]
fn two_people_watch_and_chat_on_os_threads() {
    play("relay.mjs", &Website::relay(&["--threads"]), "threads");
}
