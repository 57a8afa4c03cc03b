//! How a process ends: as with std's threads, green threads that still live do not keep it, and are not unwound.

use greenwire_runtime::{Builder, thread};
use std::hint::spin_loop;
use std::process::{Command, Output, Stdio, exit};
use std::time::{Duration, Instant};

/// Runs a test of this file in a process of its own, and fails if that does not end.
#[track_caller]
fn run(child: &str) -> Output {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while process.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            process.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
    process.wait_with_output().unwrap()
}

#[track_caller]
fn check(child: &str, code: i32) {
    let output = run(child);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(!errors.contains("dropped"), "{errors}");
}

struct Tells;

impl Drop for Tells {
    fn drop(&mut self) {
        eprintln!("dropped");
    }
}

/// Leaves green threads in every state behind: parked, about to run, and one that never gives way.
fn leave_threads_behind() {
    Builder::new().workers(2).start().unwrap();
    let kept = |f: fn()| {
        thread::Builder::new().worker(0).spawn(move || {
            let _tells = Tells;
            f();
        })
    };
    for _ in 0..100 {
        kept(thread::park).unwrap();
        kept(|| {
            loop {
                thread::yield_now();
            }
        })
        .unwrap();
    }
    let busy = kept(|| {
        loop {
            spin_loop();
        }
    });
    kept(thread::park).unwrap();
    assert!(!busy.unwrap().is_finished());
    thread::sleep(Duration::from_millis(20));
}

#[test]
fn the_end_of_main_is_the_end() {
    check("child_returns", 0);
}

#[test]
fn a_green_thread_may_exit() {
    check("child_exits_on_a_green_thread", 3);
}

#[test]
#[ignore = "the child process of a test above"]
fn child_returns() {
    leave_threads_behind();
}

#[test]
#[ignore = "the child process of a test above"]
#[expect(clippy::exit, reason = "this is what is tested")]
fn child_exits_on_a_green_thread() {
    leave_threads_behind();
    let exits = thread::Builder::new().worker(1).spawn(|| {
        let _tells = Tells;
        exit(3);
    });
    let _ = exits.unwrap().join();
}
