//! The documentation of std, which rustup installs as the component `rust-docs`: it tells the tests of each
//! crate what std offers.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::{env, io};

/// The version that the tests were written for: a later std has more.
const VERSION: &str = "1.95";

/// The folder of std's pages. If it is not there, says so; on CI that is a failure.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = sysroot()?.join("share/doc/rust/html/std");
    let is_there = folder
        .join(format!("sync/sidebar-items{VERSION}.0.js"))
        .exists();
    if !is_there {
        let note = format!("skipped: rust-docs of Rust {VERSION} not found");
        let on_ci = env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!on_ci, "{note}");
        let _ = writeln!(io::stderr(), "{note}");
    }
    is_there.then_some(folder)
}

fn sysroot() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(sysroot.trim().into())
}
