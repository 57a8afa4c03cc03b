//! The processes that were started, all of which end with this one.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for what a process has said before it ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// All that run. Dropping a [`Process`] ends it; a signal to this process ends all.
#[derive(Clone, Debug, Default)]
pub struct Children {
    ids: Arc<Mutex<Vec<Pid>>>,
    interrupted: Arc<AtomicBool>,
}

impl Children {
    /// Ends all at once; nobody is to be started any more.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Relaxed);
        for &id in self.ids().iter() {
            // It may have ended just now; it has not been waited for, so the number is still its own.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }

    /// Whether the user wants no more.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// Starts a process on these CPUs and reads what it prints. It leads a process group, which ends
    /// with it.
    ///
    /// # Errors
    /// The system's.
    pub fn start(&self, mut command: Command, cpus: &[usize]) -> io::Result<Process> {
        if self.is_interrupted() {
            return Err(io::Error::other("interrupted"));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).env("RUST_BACKTRACE", "0");
        let program = command.get_program().to_string_lossy().into_owned();
        let named = |error| io::Error::other(format!("{program}: {error}"));
        let mut child = crate::cpus::on(cpus, || command.spawn()).map_err(named)?;
        let id = Pid::from_child(&child);
        self.ids().push(id);
        let lines = printed(child.stdout.take());
        let complaints = printed(child.stderr.take());
        Ok(Process {
            child,
            id,
            lines,
            complaints,
            children: self.clone(),
        })
    }

    fn ids(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.ids
            .lock()
            .expect("nobody panics with the list of processes")
    }
}

/// One process; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    id: Pid,
    lines: Receiver<String>,
    complaints: Receiver<String>,
    children: Children,
}

impl Process {
    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    ///
    /// # Errors
    /// `TimedOut` if none comes in time, `UnexpectedEof` if none will ever come.
    pub fn line(&mut self, limit: Duration) -> io::Result<String> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nothing was heard for {limit:?}"),
            ),
            RecvTimeoutError::Disconnected => {
                let ended = self.ended_within(Duration::from_secs(1));
                let how = ended.unwrap_or_else(|| "it prints no more".to_owned());
                io::Error::new(io::ErrorKind::UnexpectedEof, how)
            }
        })
    }

    /// Gives it the line that it waits for.
    ///
    /// # Errors
    /// The system's.
    pub fn tell(&mut self, line: &[u8]) -> io::Result<()> {
        use std::io::Write;
        let stdin = self.child.stdin.as_mut();
        stdin.ok_or(io::ErrorKind::BrokenPipe)?.write_all(line)
    }

    /// How it has ended, with its last words; `None` if it runs.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        let mut words = None;
        // They end with the process, unless it has left another one behind.
        while let Ok(line) = self.complaints.recv_timeout(LAST_WORDS) {
            if !line.trim().is_empty() && !line.starts_with("note: ") {
                words = Some(line);
            }
        }
        Some(describe(status, words))
    }

    /// As [`ended`](Process::ended), for one that is about to.
    fn ended_within(&mut self, limit: Duration) -> Option<String> {
        let end = Instant::now() + limit;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() > end {
                return ended;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut ids = self.children.ids();
        // An error can only say that it has ended.
        let _ = kill_process_group(self.id, Signal::KILL);
        let _ = self.child.wait();
        ids.retain(|id| *id != self.id);
    }
}

fn describe(status: ExitStatus, words: Option<String>) -> String {
    match words {
        Some(words) => format!("it ended ({status}): {words}"),
        None => format!("it ended ({status})"),
    }
}

/// What a process prints, line by line.
fn printed(output: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let output = output
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines());
        for line in output.map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(children: &Children, script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped());
        children.start(command, &[0]).expect("there is a shell")
    }

    #[test]
    fn lines_come_and_then_the_end_with_its_reason() {
        let mut process = shell(&Children::default(), "echo one; echo why >&2; exit 3");
        assert_eq!(process.line(SOON).unwrap(), "one");
        let error = process.line(SOON).unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.contains("why"), "{error}");
    }

    #[test]
    fn silence_has_an_end() {
        let mut process = shell(&Children::default(), "read line");
        let error = process.line(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        process.tell(b"on\n").unwrap();
        assert_eq!(
            process.line(SOON).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn an_interrupt_ends_all_and_lets_none_start() {
        let children = Children::default();
        let mut process = shell(&children, "read line");
        children.interrupt();
        let error = process.line(SOON).unwrap_err().to_string();
        assert!(error.contains("signal: 9"), "{error}");
        assert!(children.start(Command::new("true"), &[0]).is_err());
        drop(process);
        assert!(children.ids().is_empty());
    }
}
