//! The relay example as a child process.

use greenwire_bench::process::Process;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A relay that runs; dropping it ends it.
pub(crate) struct Server {
    child: Child,
    url: String,
    /// Read for the address, then kept open: the relay may print more.
    output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it on a free port and waits for its address.
    pub(crate) fn start(program: &Path, threads: bool) -> io::Result<Server> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).stdout(Stdio::piped());
        if threads {
            command.arg("--threads");
        }
        let mut child = command.spawn().map_err(|error| {
            let hint = "run `cargo build --release --example relay` in the repository first";
            io::Error::other(format!("{}: {error}; {hint}", program.display()))
        })?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut server = Server {
            child,
            url: String::new(),
            output: BufReader::new(output),
        };
        let mut line = String::new();
        server.output.read_line(&mut line)?;
        let address = line.trim().strip_prefix("open http://");
        let address = address.ok_or_else(|| io::Error::other("the relay printed no address"))?;
        server.url = format!("ws://{address}relay");
        Ok(server)
    }

    /// Where subscribers connect to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn process(&self) -> Process {
        Process::new(self.child.id())
    }

    /// Ends it, unless it has ended already, and says how it ended.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error can only say that it has ended.
        let _ = self.end();
    }
}
