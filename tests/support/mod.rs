//! What the stories share: the relay example as a process of its own.

#![allow(dead_code, unreachable_pub, reason = "each story uses what it needs")]

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running relay on a free port; killed on drop.
pub struct Relay {
    process: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Relay {
    pub fn start(flags: &[&str]) -> Relay {
        let mut command = relay();
        command
            .args(["--port", "0"])
            .args(flags)
            .stdout(Stdio::piped());
        let mut process = command.spawn().expect("the relay starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the relay prints its address");
        let address = line
            .trim()
            .strip_prefix("open http://")
            .and_then(|rest| rest.strip_suffix('/'));
        let address =
            address.unwrap_or_else(|| panic!("the relay prints its address, not {line:?}"));
        Relay {
            process,
            address: address.to_owned(),
        }
    }
}

impl Relay {
    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The relay example.
pub fn relay() -> Command {
    example("relay")
}

/// An example, which `cargo test` has built.
pub fn example(name: &str) -> Command {
    let program = target_folder().join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing: `cargo build --example {name}`",
        program.display()
    );
    Command::new(program)
}

/// `target/debug` or its like: this test is `target/debug/deps/NAME-HASH`.
pub fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors()
        .nth(2)
        .expect("a test is in deps/")
        .to_owned()
}

/// Says that a program is absent; on CI that is a failure. Written past the test runner, which
/// swallows what `println!` says.
pub fn skip(missing: &str) {
    let note = format!("skipped: {missing} not found");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{note}"
    );
    let _ = writeln!(io::stderr(), "{note}");
}
