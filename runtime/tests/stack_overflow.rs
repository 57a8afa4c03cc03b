//! A stack overflow ends the process with a message that names the green thread, with either guard.

#![cfg(target_os = "linux")]

use greenwire_runtime::thread;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

fn run_child(guard: Option<&str>) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_overflows", "--ignored", "--nocapture"])
        .envs(guard.map(|guard| ("GREENWIRE_STACK_GUARD", guard)))
        .output()
        .unwrap()
}

#[track_caller]
fn check(guard: Option<&str>) {
    let output = run_child(guard);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("green thread 'deep diver' has overflowed its stack"),
        "{errors}"
    );
    let signal = output.status.signal();
    assert!(matches!(signal, Some(SIGABRT | SIGSEGV)), "{signal:?}");
}

#[test]
fn it_is_reported_by_name() {
    check(None);
}

#[test]
fn it_is_reported_by_name_with_mprotect_guards() {
    check(Some("mprotect"));
}

#[test]
#[ignore = "the child process of the tests above"]
fn child_overflows() {
    #[expect(unconditional_recursion, reason = "the overflow is the purpose")]
    fn dive(depth: usize) -> usize {
        std::hint::black_box([depth; 64]);
        dive(depth + 1) + 1
    }
    // Enough green threads to see that each has a guard of its own.
    for _ in 0..100 {
        thread::spawn(thread::park);
    }
    let builder = thread::Builder::new().name("deep diver".into());
    builder.spawn(|| dive(0)).unwrap().join().unwrap();
}
