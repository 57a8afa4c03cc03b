//! What the stories share: an example as a process of its own, and a browser that opens its page.

#![allow(dead_code, unreachable_pub, reason = "each story uses what it needs")]

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running example that is a web server; killed on drop.
pub struct Website {
    process: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Website {
    /// Starts an example that prints its address.
    pub fn start(name: &str, flags: &[&str]) -> Website {
        let mut command = example(name);
        command.args(flags);
        Website::run(command)
    }

    /// Starts a program that prints its address.
    pub fn run(mut command: Command) -> Website {
        command.stdout(Stdio::piped());
        let mut process = command.spawn().expect("the example starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the example prints its address");
        let address = line
            .trim()
            .strip_prefix("open http://")
            .and_then(|rest| rest.strip_suffix('/'));
        let address =
            address.unwrap_or_else(|| panic!("the example prints its address, not {line:?}"));
        Website {
            process,
            address: address.to_owned(),
        }
    }
}

impl Website {
    /// A relay on a free port.
    pub fn relay(flags: &[&str]) -> Website {
        Website::start("relay", &[&["--port", "0"], flags].concat())
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Website {
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

/// Plays a story of `tests/browser` in a headless Chromium, with screenshots in `target/…/artifacts`.
pub fn play(story: &str, site: &Website, name: &str) {
    play_with(story, site, name, &[]);
}

/// As [`play`], with further arguments for the story.
pub fn play_with(story: &str, site: &Website, name: &str, more: &[&str]) {
    let folder = browser_folder();
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
    let output = Command::new("node")
        .arg(folder.join(story))
        .arg(format!("http://{}/", site.address))
        .args([browser, name])
        .arg(&artifacts)
        .args(more)
        .output()
        .expect("node runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// `tests/browser` of the repository, from any of its packages.
pub fn browser_folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package
        .ancestors()
        .map(|folder| folder.join("tests/browser"));
    let found = folders.find(|folder| folder.exists());
    found.expect("it is in the repository")
}

/// Whether there is such a program.
pub fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
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
