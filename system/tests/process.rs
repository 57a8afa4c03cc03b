//! Child processes: nothing is lost, nothing is left behind, and waiting holds up nobody.

use greenwire_runtime::{Builder, thread};
use greenwire_system::process::{Child, Command, Stdio};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// Tells the story on an OS thread, then on a green one: with a single worker, which would stand
/// still if anything in the story held it up.
fn on_both(story: fn()) {
    static ONE_WORKER: Once = Once::new();
    ONE_WORKER.call_once(|| Builder::new().workers(1).start().unwrap());
    story();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _end = end;
        story();
    });
    let hangs = ended.recv_timeout(DEADLINE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
    assert!(!hangs, "the story hangs on a green thread");
    thread.join().unwrap();
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn piped(script: &str) -> Child {
    let mut command = sh(script);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "it never comes true");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Neither alive nor a zombie.
#[cfg(target_os = "linux")]
fn is_gone(id: u32) -> bool {
    !Path::new(&format!("/proc/{id}")).exists()
}

#[test]
fn how_children_end() {
    on_both(|| {
        assert_eq!(sh("exit 7").status().unwrap().code(), Some(7));
        let output = sh("echo out; echo err >&2; cat").output().unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        let error = Command::new("no such program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);

        let mut child = sh("sleep 1000").spawn().unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None);
        assert_eq!(child.wait().unwrap(), status);
        assert_eq!(child.try_wait().unwrap(), Some(status));
        assert_eq!(child.wait_timeout(DEADLINE).unwrap(), Some(status));
        child.kill().unwrap();
    });
}

#[test]
fn a_wait_gives_up_in_time() {
    on_both(|| {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        let limit = Duration::from_millis(20);
        let begin = Instant::now();
        assert_eq!(child.wait_timeout(limit).unwrap(), None);
        assert!(begin.elapsed() >= limit);
        // The pipe is still open: the child has waited for it.
        child.stdin.as_mut().unwrap().write_all(b"line\n").unwrap();
        assert!(child.wait_timeout(DEADLINE).unwrap().unwrap().success());
    });
}

#[test]
fn a_wait_closes_the_input() {
    on_both(|| {
        let mut child = sh("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(child.wait().unwrap().success());
        assert!(child.stdin.is_none());
    });
}

#[test]
fn waiting_holds_up_nobody() {
    on_both(|| {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // On the one worker this runs only if the wait parks.
        let writer = thread::spawn(move || stdin.write_all(b"line\n").unwrap());
        assert!(child.wait().unwrap().success());
        writer.join().unwrap();
    });
}

#[test]
fn pipes_are_read_and_written_at_the_same_time() {
    on_both(|| {
        let input: Vec<u8> = (0..3 << 20).map(|n| n as u8).collect();
        let mut child = piped("tee /dev/stderr");
        let output = child.communicate(&input[..], Some(DEADLINE)).unwrap();
        assert!(output.status.success());
        assert!(output.stdout == input && output.stderr == input);
    });
}

#[test]
fn a_timeout_loses_nothing() {
    on_both(|| {
        let mut child =
            piped("echo one; echo two >&2; read a; echo $a; sleep 0.2; read b; echo $b");
        let mut tries = 0;
        let mut input = "three\nfour\n";
        let output = loop {
            match child.communicate(input, Some(Duration::from_millis(30))) {
                Ok(output) => break output,
                Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
            }
            (tries, input) = (tries + 1, "");
            let error = child.communicate("more", None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        };
        assert!(tries > 0);
        assert_eq!(output.stdout, b"one\nthree\nfour\n");
        assert_eq!(output.stderr, b"two\n");
    });
}

#[test]
fn a_child_may_ignore_its_input() {
    on_both(|| {
        let mut child = piped("exit 3");
        let output = child.communicate(vec![0; 1 << 20], Some(DEADLINE)).unwrap();
        assert_eq!(output.status.code(), Some(3));
        let error = sh("true").spawn().unwrap().communicate("x", None);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn children_in_a_pipeline() {
    on_both(|| {
        let mut first = sh("seq 1 20000").stdout(Stdio::piped()).spawn().unwrap();
        let mut second = sh("tail -n 1");
        second.stdin(first.stdout.take().unwrap());
        assert_eq!(second.output().unwrap().stdout, b"20000\n");
        assert!(first.wait().unwrap().success());
    });
}

#[test]
fn a_pipe_goes_to_std_and_back() {
    on_both(|| {
        let mut child = sh("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = OwnedFd::from(child.stdin.take().unwrap());
        io::Write::write_all(&mut std::fs::File::from(stdin), b"text").unwrap();
        let stdout = OwnedFd::from(child.stdout.take().unwrap());
        let mut stdout = greenwire_system::process::ChildStdout::from(stdout);
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(child.wait().unwrap().success());
    });
}

/// A program that meets non-blocking streams fails in odd ways.
#[cfg(target_os = "linux")]
#[test]
fn the_child_gets_blocking_streams() {
    on_both(|| {
        let mut child = piped("for n in 0 1 2; do grep flags /proc/self/fdinfo/$n; done");
        let output = child.communicate([], Some(DEADLINE)).unwrap();
        let flags = String::from_utf8(output.stdout).unwrap();
        let flags: Vec<_> = flags
            .lines()
            .map(|line| {
                let octal = line.split_whitespace().nth(1).unwrap();
                u32::from_str_radix(octal, 8).unwrap()
            })
            .collect();
        assert_eq!(flags.len(), 3);
        assert!(flags.iter().all(|flags| flags & 0o4000 == 0), "{flags:?}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_child_leaves_no_zombie() {
    on_both(|| {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        let (id, stdin) = (child.id(), child.stdin.take());
        drop(child);
        thread::sleep(Duration::from_millis(20));
        assert!(!is_gone(id), "it goes on alone");
        drop(stdin);
        until(|| is_gone(id));

        let child = sh("sleep 1000").kill_on_drop(true).spawn().unwrap();
        let id = child.id();
        drop(child);
        until(|| is_gone(id));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_cancelled_wait_kills_if_so_asked() {
    on_both(|| {
        let (sender, receiver) = greenwire_runtime::sync::mpsc::channel();
        let waiting = thread::spawn(move || {
            let mut child = piped("sleep 1000");
            sender.send(child.id()).unwrap();
            child.communicate([], None)
        });
        let spared = receiver.recv().unwrap();
        waiting.cancel().unwrap();
        assert!(waiting.join().is_err());
        assert!(!is_gone(spared));
        assert!(
            Command::new("kill")
                .arg(spared.to_string())
                .status()
                .unwrap()
                .success()
        );
        until(|| is_gone(spared));

        let (sender, receiver) = greenwire_runtime::sync::mpsc::channel();
        let waiting = thread::spawn(move || {
            let mut child = sh("sleep 1000").kill_on_drop(true).spawn().unwrap();
            sender.send(child.id()).unwrap();
            child.wait()
        });
        let killed = receiver.recv().unwrap();
        waiting.cancel().unwrap();
        assert!(waiting.join().is_err());
        until(|| is_gone(killed));
    });
}

/// A pipe that keeps packets apart gives one at a time, although there are more.
#[cfg(target_os = "linux")]
#[test]
fn packets_that_are_there_are_read_at_once() {
    use greenwire_system::process::ChildStdout;
    use rustix::pipe::{PipeFlags, pipe_with};

    on_both(|| {
        let (reader, writer) = pipe_with(PipeFlags::DIRECT | PipeFlags::CLOEXEC).unwrap();
        let mut reader = ChildStdout::from(reader);
        let mut buf = [0; 100];
        // A first wait: from now on the reactor watches the pipe.
        let first = thread::spawn(move || {
            rustix::io::write(&writer, b"0").unwrap();
            writer
        });
        assert_eq!(reader.read(&mut buf).unwrap(), 1);
        let writer = first.join().unwrap();
        for packet in [b"one", b"two"] {
            assert_eq!(rustix::io::write(&writer, packet).unwrap(), 3);
        }
        assert_eq!(reader.read(&mut buf).unwrap(), 3);
        assert_eq!(reader.read(&mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"two");
    });
}

/// Who starts others in its turn is ended with them.
#[cfg(target_os = "linux")]
#[test]
fn a_group_is_killed_at_once() {
    use rustix::process::{Pid, Signal, kill_process_group};

    on_both(|| {
        // The grandchild holds the pipe open, too.
        let mut command = sh("sleep 1000 & echo started; wait");
        command.process_group(0).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let error = child.communicate([], Some(Duration::from_millis(20)));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
        let group = Pid::from_raw(child.id() as i32).unwrap();
        kill_process_group(group, Signal::KILL).unwrap();
        let output = child.communicate([], Some(DEADLINE)).unwrap();
        assert_eq!(output.status.code(), None);
    });
}
