//! `Child`: std's, which parks, and leaves no zombie.

use super::communicate::Communication;
use super::exit::Exit;
use crate::pipe::{ChildStderr, ChildStdin, ChildStdout};
use greenwire_runtime::io::blocks_in_kernel;
use greenwire_runtime::thread;
use rustix::process::Pid;
use std::io;
use std::process::{self, ExitStatus, Output};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A process that was started, as [`std::process::Child`].
///
/// # Differences from std
///
/// When it is dropped before the process has ended, the process goes on, and a green thread waits for it,
/// so that no zombie is left; with [`Command::kill_on_drop`](super::Command::kill_on_drop) it is killed.
#[derive(Debug)]
pub struct Child {
    /// The pipe to its standard input, if there is one and it was not taken.
    pub stdin: Option<ChildStdin>,
    /// The pipe from its standard output, if there is one and it was not taken.
    pub stdout: Option<ChildStdout>,
    /// The pipe from its standard error, if there is one and it was not taken.
    pub stderr: Option<ChildStderr>,
    /// Behind a lock that nobody ever waits for: it makes the type `Sync`, as std's is.
    communication: Mutex<Option<Communication>>,
    process: Process,
}

/// The process without its pipes.
#[derive(Debug)]
struct Process {
    /// `None` once it was handed on to be reaped.
    child: Option<process::Child>,
    /// Once somebody has had to wait for it. Behind a lock for the same reason.
    exit: Mutex<Option<Exit>>,
    kill_on_drop: bool,
}

impl Child {
    pub(super) fn adopt(mut child: process::Child, kill_on_drop: bool) -> io::Result<Child> {
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process {
            child: Some(child),
            exit: Mutex::default(),
            kill_on_drop,
        };
        Ok(Child {
            stdin: pipes.0.map(ChildStdin::adopt).transpose()?,
            stdout: pipes.1.map(ChildStdout::adopt).transpose()?,
            stderr: pipes.2.map(ChildStderr::adopt).transpose()?,
            communication: Mutex::default(),
            process,
        })
    }

    /// The number by which the system knows the process.
    pub fn id(&self) -> u32 {
        self.process.inner().id()
    }

    /// Kills the process. `Ok` if it has ended and was waited for.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.inner_mut().kill()
    }

    /// Closes the pipe to its standard input, and parks until the process has ended. Can be called
    /// again, for the same answer.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.process.wait()
    }

    /// As [`wait`](Child::wait), for at most `limit`; `None` if the process then still lives. It leaves
    /// the pipe to its standard input as it is.
    ///
    /// ```
    /// use greenwire_system::process::Command;
    /// use std::time::Duration;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sleep").arg("1000").spawn()?;
    /// assert_eq!(child.wait_timeout(Duration::from_millis(5))?, None);
    /// child.kill()?;
    /// assert!(!child.wait()?.success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn wait_timeout(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        self.process.wait_until(Instant::now().checked_add(limit))
    }

    /// How the process ended, if it has. Never parks.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.inner_mut().try_wait()
    }

    /// Closes the pipe to its standard input, reads the others to their ends, and waits for the
    /// process.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        self.communicate([], None)
    }

    /// Writes `input` to its standard input while it reads the others to their ends, and then waits for
    /// the process: all of it in at most `limit`. Streams that are no pipes, or were taken, count as
    /// empty.
    ///
    /// Nothing is lost when the time is up: reading and writing go on, and a further call, whose input
    /// must be empty, gives the whole output. The same holds if this is cut short from outside. To give
    /// up, [`kill`](Child::kill) the process.
    ///
    /// A process that ends without reading its input is no error.
    ///
    /// ```
    /// use greenwire_system::process::{Command, Stdio};
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// # fn main() -> io::Result<()> {
    /// let mut slow = Command::new("sh")
    ///     .args(["-c", "read name; echo hello; sleep 0.2; echo $name"])
    ///     .stdin(Stdio::piped())
    ///     .stdout(Stdio::piped())
    ///     .spawn()?;
    /// let early = slow.communicate("world\n", Some(Duration::from_millis(1)));
    /// assert_eq!(early.unwrap_err().kind(), io::ErrorKind::TimedOut);
    /// let output = slow.communicate([], None)?;
    /// assert_eq!(output.stdout, b"hello\nworld\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `TimedOut` if the time is up. `InvalidInput` for input without a pipe to write it to, or to a
    /// further call. Those of reading and writing.
    ///
    /// # Cancellation
    ///
    /// Parks here.
    pub fn communicate(
        &mut self,
        input: impl Into<Vec<u8>>,
        limit: Option<Duration>,
    ) -> io::Result<Output> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let input = input.into();
        if !input.is_empty() && self.stdin.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "input needs a standard input that is a pipe, and can be given only once",
            ));
        }
        let communication = unlocked(&mut self.communication);
        if communication.is_none() {
            let pipes = (self.stdin.take(), self.stdout.take(), self.stderr.take());
            *communication = Some(Communication::start(input, pipes)?);
        }
        let started = communication.as_mut().expect("it was started above");
        started.wait_until(deadline)?;
        let status = self.process.wait_until(deadline)?;
        let status = status.ok_or(io::ErrorKind::TimedOut)?;
        let ended = communication.take().expect("as above");
        let (stdout, stderr) = ended.into_output()?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

impl Process {
    fn inner(&self) -> &process::Child {
        self.child.as_ref().expect("only `drop` takes it")
    }

    fn inner_mut(&mut self) -> &mut process::Child {
        self.child.as_mut().expect("only `drop` takes it")
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        if blocks_in_kernel() {
            return self.inner_mut().wait();
        }
        loop {
            if let Some(status) = self.wait_until(None)? {
                return Ok(status);
            }
        }
    }

    /// `None` is no deadline, and that the process still lives at the deadline.
    fn wait_until(&mut self, deadline: Option<Instant>) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.inner_mut().try_wait()? {
                return Ok(Some(status));
            }
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            self.exit()?.wait(left)?;
        }
    }

    fn exit(&mut self) -> io::Result<&Exit> {
        let pid = Pid::from_child(self.inner());
        let exit = unlocked(&mut self.exit);
        let known = match exit.take() {
            Some(known) => known,
            None => Exit::of(pid)?,
        };
        Ok(exit.insert(known))
    }
}

/// What is behind a lock that nobody can hold.
fn unlocked<T>(lock: &mut Mutex<T>) -> &mut T {
    lock.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Process {
    /// Leaves no zombie: who has not ended is waited for on another green thread.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        if self.kill_on_drop {
            // It fails only if the process has ended meanwhile.
            let _ = child.kill();
        }
        let mut orphan = Process {
            child: Some(child),
            exit: Mutex::new(unlocked(&mut self.exit).take()),
            kill_on_drop: false,
        };
        let reaper = thread::Builder::new().name("greenwire-reaper".to_owned());
        let reap = move || {
            let _ = orphan.wait();
            // Whatever it said, there is nothing left to do.
            orphan.child = None;
        };
        // It fails only for want of OS threads, where those are what is spawned; then there is a zombie.
        let _ = reaper.spawn(reap);
    }
}
