//! Waiting on descriptors that are not greenwire's.

mod support;

use greenwire_net::unix::UnixStream;
use greenwire_net::{wait_readable, wait_writable};
use greenwire_runtime::{Builder, time};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{DEADLINE, started};

const SHORT: Duration = Duration::from_millis(30);

/// One worker, so that all waits share one event loop, and `started` returns to a green thread once they
/// wait. Whichever story of this file is the first starts the runtime.
fn on_green(story: fn()) {
    let _ = Builder::new().workers(1).start();
    support::on_green(story);
}

/// Tells the story on an OS thread, then on a green one.
fn on_both(story: fn()) {
    let _ = Builder::new().workers(1).start();
    support::on_both(story);
}

#[test]
fn a_wait_ends_when_something_comes() {
    on_both(|| {
        let (mut near, far) = net::UnixStream::pair().unwrap();
        let reader = started(move || {
            wait_readable(&far, Some(DEADLINE)).unwrap();
            (&far).read(&mut [0; 9]).unwrap()
        });
        near.write_all(b"hello").unwrap();
        assert_eq!(reader.join().unwrap(), 5);
    });
}

#[test]
fn a_wait_ends_when_there_is_room_again() {
    on_both(|| {
        let (near, mut far) = net::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(count) = (&near).write(&[0; 4096]) {
            sent += count;
        }
        let late = wait_writable(&near, Some(SHORT)).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut);
        let reader = support::peer(move || {
            far.read_exact(&mut vec![0; sent]).unwrap();
            far
        });
        wait_writable(&near, Some(DEADLINE)).unwrap();
        assert!((&near).write(b"x").is_ok());
        reader.join().unwrap();
    });
}

#[test]
fn a_wait_gives_up_after_its_timeout() {
    on_both(|| {
        let (_near, far) = net::UnixStream::pair().unwrap();
        for timeout in [SHORT, Duration::ZERO] {
            let start = Instant::now();
            let error = wait_readable(&far, Some(timeout)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= timeout);
        }
        let limited = time::timeout(SHORT, || wait_readable(&far, None));
        assert!(limited.is_err());
    });
}

#[test]
fn the_end_is_worth_reading() {
    on_both(|| {
        let (near, far) = net::UnixStream::pair().unwrap();
        let far = Arc::new(far);
        let waited = far.clone();
        let waits = started(move || wait_readable(&*waited, Some(DEADLINE)));
        drop(near);
        waits.join().unwrap().unwrap();
        assert_eq!((&*far).read(&mut [0]).unwrap(), 0);
        wait_readable(File::open("Cargo.toml").unwrap(), Some(DEADLINE)).unwrap();
    });
}

/// The kernel knows one registration of a descriptor for each event loop.
#[test]
fn many_can_wait_on_one_descriptor() {
    on_both(|| {
        let (mut near, far) = net::UnixStream::pair().unwrap();
        let ours = UnixStream::from(far.try_clone().unwrap());
        let fd: Arc<OwnedFd> = Arc::new(far.into());
        let mut waits: Vec<_> = (0..3)
            .map(|_| fd.clone())
            .map(|fd| started(move || wait_readable(&fd, Some(DEADLINE))))
            .collect();
        // One of our own sockets that is registered already.
        let mut parked = ours.try_clone().unwrap();
        let reader = started(move || parked.read(&mut [0]).unwrap());
        let borrowed = ours.try_clone().unwrap();
        waits.push(started(move || {
            wait_readable(borrowed.as_fd(), Some(DEADLINE))
        }));
        near.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), 1);
        near.write_all(b"y").unwrap();
        for wait in waits {
            wait.join().unwrap().unwrap();
        }
    });
}

/// What a C library might do. The new file has the old one's number, and waits are told apart.
#[test]
fn a_descriptor_closed_meanwhile_disturbs_nobody() {
    on_green(|| {
        let (near, far) = net::UnixStream::pair().unwrap();
        let number = far.as_raw_fd();
        let kept = far.as_fd().try_clone_to_owned().unwrap();
        let waits = started(move || {
            let result = wait_readable(&far, Some(DEADLINE));
            // Its number is another's by now, who closes it.
            std::mem::forget(far);
            result
        });
        // SAFETY: nobody else uses or closes the number; that a wait does not is what is tested.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        let (mut new_near, new_far) = net::UnixStream::pair().unwrap();
        let (reused, new_far) = match new_near.as_raw_fd() == number {
            true => (new_near.try_clone().unwrap(), new_far),
            false => (new_far.try_clone().unwrap(), new_far),
        };
        let new_waits = started(move || wait_readable(&new_far, Some(DEADLINE)));
        // The old file is heard of, and the wait on the new one goes on after it.
        (&near).write_all(b"old").unwrap();
        waits.join().unwrap().unwrap();
        assert!(!new_waits.is_finished());
        new_near.write_all(b"new").unwrap();
        new_waits.join().unwrap().unwrap();
        drop((kept, reused));
    });
}
