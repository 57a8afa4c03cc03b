//! Stories that Node tells with clients and servers from npm.

#![allow(dead_code, reason = "every story uses a part of it")]

use super::redis_server::skip;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of a package from npm, if it is there.
pub(crate) fn package(name: &str) -> PathBuf {
    folder().join("node_modules").join(name)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser")
}

/// As [`tell`], if there is a Chromium; its name is the second argument.
#[track_caller]
pub(crate) fn tell_with_chromium(script: &str, argument: &str) {
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    match names.into_iter().find(runs) {
        Some(browser) => tell(script, &["playwright-core"], &[argument, browser]),
        None => skip("chromium"),
    }
}

/// Runs `tests/browser/SCRIPT` of the repository, if what it needs is there, with these arguments. Says what went wrong.
#[track_caller]
pub(crate) fn tell(script: &str, packages: &[&str], arguments: &[&str]) {
    if Command::new("node").arg("--version").output().is_err() {
        return skip("node");
    }
    if let Some(missing) = packages.iter().find(|name| !package(name).exists()) {
        return skip(&format!("{missing} (`npm ci` in tests/browser)"));
    }
    let told = Command::new("node")
        .arg(folder().join(script))
        .args(arguments)
        .output();
    let told = told.expect("node runs");
    assert!(
        told.status.success(),
        "{}{}",
        String::from_utf8_lossy(&told.stdout),
        String::from_utf8_lossy(&told.stderr)
    );
}
