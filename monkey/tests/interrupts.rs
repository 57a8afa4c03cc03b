//! Cancellation and limits reach calls of libc, and unwind where it is safe.

mod support;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use greenwire_runtime::thread::Cancelled;
use greenwire_runtime::{thread, time};
use support::{DEADLINE, green, on_one_worker, spawn_green};

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(30);

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

fn is_cancelled<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.raw_os_error() == Some(libc::ECANCELED))
}

/// A call that would wait for ever, and whether it failed since its thread was cancelled.
type Wait = (&'static str, fn() -> bool);

fn waits() -> Vec<Wait> {
    vec![
        ("recv", || {
            let (mut ours, _theirs) = pair();
            is_cancelled(ours.read(&mut [0]))
        }),
        ("send", || {
            let (mut ours, _theirs) = pair();
            is_cancelled(ours.write_all(&vec![0; 1 << 24]))
        }),
        ("accept", || {
            is_cancelled(TcpListener::bind("127.0.0.1:0").unwrap().accept())
        }),
        ("read of a pipe", || {
            let (mut reader, _writer) = io::pipe().unwrap();
            is_cancelled(reader.read(&mut [0]))
        }),
        ("read of a child", || {
            let mut sleeper = Command::new("sleep");
            let sleeper = sleeper.arg("30").stdout(Stdio::piped());
            is_cancelled(with(sleeper, |child| {
                child.stdout.take().unwrap().read(&mut [0])
            }))
        }),
        ("waitid", || {
            is_cancelled(with(Command::new("sleep").arg("30"), |child| child.wait()))
        }),
    ]
}

fn with<R>(command: &mut Command, f: impl FnOnce(&mut std::process::Child) -> R) -> R {
    let mut child = command.spawn().unwrap();
    let result = f(&mut child);
    child.kill().unwrap();
    result
}

/// Ends as cancelled, although its closure returns; and what it waited in has failed.
#[test]
fn a_cancelled_call_fails_and_its_thread_ends_as_cancelled() {
    on_one_worker();
    for (name, wait) in waits() {
        let (sender, told) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(false).unwrap();
            sender.send(wait()).unwrap();
        });
        // It has begun. If it does not wait yet, it will fail when it does.
        assert_eq!(told.recv_timeout(DEADLINE), Ok(false), "{name}");
        handle.cancel().unwrap();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(true), "{name}");
        assert!(handle.join().unwrap_err().is::<Cancelled>(), "{name}");
    }
}

#[test]
fn a_limit_cuts_a_call_short() {
    on_one_worker();
    green(|| {
        let (mut ours, _theirs) = pair();
        let begin = Instant::now();
        let cut = time::timeout(SOON, || ours.read(&mut [0]).unwrap_or(7));
        assert_eq!(cut, Err(time::Elapsed));
        assert!(begin.elapsed() >= SOON);
        // Nothing is left of it.
        assert_eq!(time::timeout(LONG, || 1), Ok(1));
        std::thread::sleep(Duration::from_millis(1));
    });
}

#[test]
fn who_tries_again_after_a_limit_fails_again() {
    on_one_worker();
    green(|| {
        let (mut ours, _theirs) = pair();
        let mut failures = 0;
        let cut = time::timeout(SOON, || {
            for _ in 0..3 {
                failures += i32::from(is_cancelled(ours.read(&mut [0])));
            }
        });
        assert_eq!((cut, failures), (Err(time::Elapsed), 3));
    });
}

#[test]
fn the_limits_of_blocks_are_told_apart() {
    on_one_worker();
    green(|| {
        let (mut ours, _theirs) = pair();
        let inner = time::timeout(LONG, || {
            let inner = time::timeout(SOON, || ours.read(&mut [0]).is_err());
            assert_eq!(inner, Err(time::Elapsed));
            time::timeout(LONG, || 5)
        });
        assert_eq!(inner, Ok(Ok(5)));
        let outer = time::timeout(SOON, || {
            let _ = time::timeout(LONG, || ours.read(&mut [0]).is_err());
            unreachable!("the outer block ends here");
        });
        assert_eq!(outer, Err::<(), _>(time::Elapsed));
    });
}

/// Std takes any error of it for a bug.
#[test]
fn a_sleep_that_is_cut_short_returns() {
    on_one_worker();
    green(|| {
        let begin = Instant::now();
        let cut = time::timeout(SOON, || {
            std::thread::sleep(LONG);
            // The second sleep is not cut short: nothing but sleeps would spin.
            std::thread::sleep(SOON);
        });
        assert_eq!(cut, Err(time::Elapsed));
        assert!(begin.elapsed() >= 2 * SOON && begin.elapsed() < LONG);
    });
}

#[test]
fn what_is_ready_is_not_cut_short() {
    on_one_worker();
    green(|| {
        let (mut ours, mut theirs) = pair();
        let cut = time::timeout(SOON, || {
            assert!(is_cancelled(ours.read(&mut [0])));
            theirs.write_all(b"xy").unwrap();
            assert_eq!(ours.read(&mut [0; 9]).unwrap(), 2);
        });
        assert_eq!(cut, Err(time::Elapsed));
    });
}

#[test]
fn connecting_is_cut_short() {
    on_one_worker();
    green(|| {
        // Nobody accepts, and the queue is full, so the handshake does not get through.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut open = Vec::new();
        let cut = loop {
            let connected = time::timeout(Duration::from_millis(200), || TcpStream::connect(addr));
            match connected {
                Ok(stream) => open.push(stream.unwrap()),
                Err(elapsed) => break elapsed,
            }
        };
        assert_eq!(cut, time::Elapsed);
    });
}

/// As handlers do that tell a loop of the program, in the middle of whatever the worker does.
#[test]
fn a_handler_of_a_signal_writes_to_a_pipe() {
    static PIPE: AtomicI32 = AtomicI32::new(-1);
    static HANDLES: AtomicBool = AtomicBool::new(false);
    const SIGNALS: usize = 20_000;

    extern "C" fn handler(_: libc::c_int) {
        HANDLES.store(true, Ordering::Relaxed);
        // SAFETY: one byte is there to be written.
        unsafe { libc::write(PIPE.load(Ordering::Relaxed), c"x".as_ptr().cast(), 1) };
        HANDLES.store(false, Ordering::Relaxed);
    }

    on_one_worker();
    let (mut reader, writer) = io::pipe().unwrap();
    PIPE.store(writer.as_raw_fd(), Ordering::Relaxed);
    // SAFETY: the handler does what handlers may, and nobody else has this signal.
    unsafe {
        libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
        let handler = handler as extern "C" fn(libc::c_int);
        libc::signal(libc::SIGUSR2, handler as libc::sighandler_t);
    }
    // SAFETY: takes nothing.
    let worker = green(|| unsafe { libc::pthread_self() });
    let done = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..10)
        .map(|_| {
            let done = done.clone();
            spawn_green(move || {
                let (mut ours, mut theirs) = pair();
                while !done.load(Ordering::Relaxed) {
                    // No other green thread runs before it has returned.
                    assert!(!HANDLES.load(Ordering::Relaxed));
                    ours.write_all(b"x").unwrap();
                    theirs.read_exact(&mut [0]).unwrap();
                }
            })
        })
        .collect();
    for _ in 0..SIGNALS {
        // SAFETY: workers never end.
        assert_eq!(unsafe { libc::pthread_kill(worker, libc::SIGUSR2) }, 0);
    }
    reader.read_exact(&mut [0]).unwrap();
    done.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|busy| busy.join());
}
