//! Stories that Node tells with clients and servers from npm.

#![allow(dead_code, reason = "every story uses a part of it")]

use super::redis_server::skip;
use std::path::Path;
use std::process::Command;

/// Runs `tests/browser/SCRIPT` of the repository, if what it needs is there, with these arguments. Says what went wrong.
#[track_caller]
pub(crate) fn tell(script: &str, packages: &[&str], arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser");
    if Command::new("node").arg("--version").output().is_err() {
        return skip("node");
    }
    for package in packages {
        if !folder.join("node_modules").join(package).exists() {
            return skip(&format!("{package} (`npm ci` in tests/browser)"));
        }
    }
    let told = Command::new("node")
        .arg(folder.join(script))
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
