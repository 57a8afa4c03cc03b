//! An example of the repository as a child process.

use crate::process::Process;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A running example that is a web server; dropping it ends it.
#[derive(Debug)]
pub struct Example {
    child: Child,
    address: String,
    /// Read for the address, then kept open: the example may print more.
    output: BufReader<ChildStdout>,
}

impl Example {
    /// Starts it on a free port and waits for its address.
    ///
    /// # Errors
    /// The system's; one that tells how to build the example, if it is not there.
    pub fn start(program: &Path, flags: &[&str]) -> io::Result<Example> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).args(flags);
        let spawned = command.stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| {
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            let hint =
                format!("run `cargo build --release --example {name}` in the repository first");
            io::Error::other(format!("{}: {error}; {hint}", program.display()))
        })?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut example = Example {
            child,
            address: String::new(),
            output: BufReader::new(output),
        };
        let mut line = String::new();
        example.output.read_line(&mut line)?;
        let address = line.trim().strip_prefix("open http://");
        let address = address.and_then(|address| address.strip_suffix('/'));
        let address = address.ok_or_else(|| io::Error::other("the example printed no address"))?;
        example.address = address.to_owned();
        Ok(example)
    }

    /// Its address, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it needs and uses.
    #[must_use]
    pub fn process(&self) -> Process {
        Process::new(self.child.id())
    }

    /// Ends it, unless it has ended already, and says how it ended.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // An error can only say that it has ended.
        let _ = self.end();
    }
}
