//! Two people open the relay's page in a real browser: the graphs move, the chat reaches both.
//!
//! Needs node, Chromium and the driver that `npm ci` installs in `tests/browser`; `browser/relay.mjs`
//! is the story itself. Screenshots are left in `target/…/artifacts`.

mod support;

use std::path::Path;
use std::process::Command;
use support::{Relay, skip, target_folder};

#[test]
fn two_people_watch_and_chat() {
    play(&[], "green");
}

#[test]
fn two_people_watch_and_chat_on_os_threads() {
    play(&["--threads"], "threads");
}

fn play(flags: &[&str], name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    if !runs("node") {
        return skip("node");
    }
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| runs(name))
    else {
        return skip("chromium");
    };
    if !folder.join("node_modules/playwright-core").exists() {
        return skip("playwright-core (`npm ci` in tests/browser)");
    }

    let artifacts = target_folder().join("artifacts");
    std::fs::create_dir_all(&artifacts).expect("target is writable");
    let relay = Relay::start(flags);
    let output = Command::new("node")
        .arg(folder.join("relay.mjs"))
        .arg(format!("http://{}/", relay.address))
        .args([browser, name])
        .arg(&artifacts)
        .output()
        .expect("node runs");
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
