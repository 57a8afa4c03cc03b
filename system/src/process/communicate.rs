//! Talking to a child over all of its pipes at once: one thread for each, so that neither side ever
//! waits for the other in vain.

use crate::pipe::{ChildStderr, ChildStdin, ChildStdout};
use greenwire_runtime::sync::mpsc::{self, RecvTimeoutError, Sender};
use greenwire_runtime::thread::{self, JoinHandle};
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

/// What the threads have gathered outlives a caller that gives up waiting for them.
#[derive(Debug)]
pub(super) struct Communication {
    /// Closed when all threads have ended.
    parts: mpsc::Receiver<Part>,
    threads: Vec<JoinHandle<()>>,
    stdout: io::Result<Vec<u8>>,
    stderr: io::Result<Vec<u8>>,
    written: io::Result<()>,
}

#[derive(Debug)]
enum Part {
    Stdout(io::Result<Vec<u8>>),
    Stderr(io::Result<Vec<u8>>),
    Written(io::Result<()>),
}

impl Communication {
    pub(super) fn start(input: Vec<u8>, pipes: Pipes) -> io::Result<Communication> {
        let (sender, parts) = mpsc::channel();
        let mut this = Communication {
            parts,
            threads: Vec::new(),
            stdout: Ok(Vec::new()),
            stderr: Ok(Vec::new()),
            written: Ok(()),
        };
        let (stdin, stdout, stderr) = pipes;
        if let Some(stdin) = stdin {
            this.spawn(&sender, move || Part::Written(write_all(stdin, &input)))?;
        }
        if let Some(stdout) = stdout {
            this.spawn(&sender, move || Part::Stdout(read_all(stdout)))?;
        }
        if let Some(stderr) = stderr {
            this.spawn(&sender, move || Part::Stderr(read_all(stderr)))?;
        }
        Ok(this)
    }

    fn spawn(
        &mut self,
        sender: &Sender<Part>,
        work: impl FnOnce() -> Part + Send + 'static,
    ) -> io::Result<()> {
        let sender = sender.clone();
        // It cannot be sent only when nobody wants it any more.
        let run = move || sender.send(work()).unwrap_or_default();
        self.threads.push(thread::Builder::new().spawn(run)?);
        Ok(())
    }

    /// Parks until all pipes are at their ends.
    pub(super) fn wait_until(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        loop {
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            match self.parts.recv_timeout(left.unwrap_or(Duration::MAX)) {
                Ok(Part::Stdout(bytes)) => self.stdout = bytes,
                Ok(Part::Stderr(bytes)) => self.stderr = bytes,
                Ok(Part::Written(written)) => self.written = written,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => return Err(ErrorKind::TimedOut.into()),
            }
        }
    }

    /// The output, once all pipes are at their ends.
    pub(super) fn into_output(mut self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        std::mem::replace(&mut self.written, Ok(()))?;
        let stdout = std::mem::replace(&mut self.stdout, Ok(Vec::new()))?;
        let stderr = std::mem::replace(&mut self.stderr, Ok(Vec::new()))?;
        Ok((stdout, stderr))
    }
}

impl Drop for Communication {
    /// Nobody will ask again. OS threads, which cannot be cancelled, end with their pipes.
    fn drop(&mut self) {
        for thread in &self.threads {
            let _ = thread.cancel();
        }
    }
}

fn write_all(mut stdin: ChildStdin, input: &[u8]) -> io::Result<()> {
    match stdin.write_all(input) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn read_all(mut pipe: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes)?;
    Ok(bytes)
}
