//! Two people chat by long polling in a real browser, and a third looks at who waits.
//!
//! Needs what `relay_browser.rs` needs; `browser/webchat.mjs` is the story itself.

mod support;

use support::{Website, play};

#[test]
fn two_people_chat_and_a_third_looks_on() {
    play("webchat.mjs", &Website::start("webchat", &["0"]), "green");
}
