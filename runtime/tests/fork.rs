//! A process that forks without exec: the child hears what is wrong, and the parent notices nothing.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{thread, unblock};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

/// Forks, and gives in the parent how the child has ended.
fn fork(child: impl FnOnce() -> i32) -> io::Result<i32> {
    // SAFETY: the child calls only greenwire, which refuses to work there, and the allocator and the
    // panic hook, whose locks no other thread of this test uses meanwhile.
    match unsafe { libc::fork() } {
        0 => {
            let code = child();
            // SAFETY: always allowed.
            unsafe { libc::_exit(code) }
        }
        -1 => Err(io::Error::last_os_error()),
        child => wait_for(child),
    }
}

fn wait_for(child: i32) -> io::Result<i32> {
    let end = Instant::now() + LONG;
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for writing.
        match unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } {
            0 if Instant::now() > end => {
                // SAFETY: the child has not been waited for, so the number is its own.
                unsafe { libc::kill(child, libc::SIGKILL) };
            }
            0 => thread::sleep(Duration::from_millis(1)),
            -1 => return Err(io::Error::last_os_error()),
            _ => return Ok(status),
        }
    }
}

/// Whether `f` panics with a message that speaks of the fork.
fn is_refused<T>(f: impl FnOnce() -> T) -> bool {
    let Err(payload) = panic::catch_unwind(AssertUnwindSafe(f)) else {
        return false;
    };
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    text.is_some_and(|text| text.contains("forked"))
}

fn spawn_is_refused() -> bool {
    let error = thread::Builder::new().spawn(|| ()).unwrap_err();
    error.kind() == io::ErrorKind::Unsupported && error.to_string().contains("forked")
}

/// A green thread that answers with what it reads, and the other end of its stream.
fn echo() -> (UnixStream, thread::JoinHandle<io::Result<()>>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let server = thread::spawn(move || {
        let source = Source::new(theirs);
        let mut byte = [0];
        while source.perform(Direction::Read, None, |mut s| s.read(&mut byte))? > 0 {
            source.get_ref().write_all(&byte)?;
        }
        Ok(())
    });
    ours.set_read_timeout(Some(LONG)).unwrap();
    (ours, server)
}

fn check_echo(mut stream: &UnixStream) {
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

/// Reads a byte that is not there yet.
fn read_later(ours: &UnixStream, theirs: &Option<Source<UnixStream>>) {
    let mut ours = ours.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(10));
        ours.write_all(b"x").unwrap();
    });
    let theirs = theirs.as_ref().unwrap();
    let read = theirs.perform(Direction::Read, Some(LONG), |mut s| s.read(&mut [0]));
    assert_eq!(read.unwrap(), 1);
    writer.join().unwrap();
}

#[test]
fn a_child_is_refused_and_its_parent_goes_on() {
    // Reporting a panic takes locks that another thread may hold when the child is made.
    panic::set_hook(Box::new(|_| ()));
    let (stream, server) = echo();
    check_echo(&stream);
    let parked = thread::spawn(thread::park);

    // From an OS thread.
    let status = fork(|| {
        let (_sender, receiver) = mpsc::channel::<()>();
        let refused = [
            spawn_is_refused(),
            is_refused(|| thread::spawn(|| ())),
            is_refused(|| receiver.recv()),
            is_refused(thread::park),
        ];
        i32::from(refused != [true; 4]) + 2 * i32::from(unblock(|| 1) != 1)
    });
    assert_eq!(status.unwrap(), 0);
    check_echo(&stream);

    // From a green one.
    let green = thread::spawn(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut source = Some(Source::new(theirs));
        read_later(&ours, &source);
        let parked = thread::spawn_local(thread::park);
        let status = fork(|| {
            let refused = [
                spawn_is_refused(),
                is_refused(thread::park),
                is_refused(thread::yield_now),
                is_refused(|| thread::no_switch(thread::yield_now)),
                is_refused(thread::yield_now),
                is_refused(|| parked.join()),
                is_refused(|| unblock(|| ())),
            ];
            // This must not take the parent's registration away.
            source = None;
            i32::from(refused != [true; 7])
        });
        read_later(&ours, &source);
        status
    });
    assert_eq!(green.join().unwrap().unwrap(), 0);
    check_echo(&stream);

    // From one that returns in the child.
    let green = thread::spawn(|| {
        // SAFETY: the child only returns.
        match unsafe { libc::fork() } {
            0 => Ok(0),
            child => wait_for(child),
        }
    });
    let status = green.join().unwrap().unwrap();
    assert!(libc::WIFSIGNALED(status), "{status}");
    assert_eq!(libc::WTERMSIG(status), libc::SIGABRT);

    check_echo(&stream);
    drop(stream);
    server.join().unwrap().unwrap();
    parked.thread().unpark();
    parked.join().unwrap();
}
