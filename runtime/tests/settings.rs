//! Settings from the environment: what is out of range is refused with a clear message.

use greenwire_runtime::{Builder, metrics, thread, unblock};
use std::io::ErrorKind;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs a test of this file in a process with these variables. Gives what it says.
#[track_caller]
fn run(child: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    errors
}

#[track_caller]
fn check_refused(variable: &str, value: &str, says: &str) {
    let errors = run("child_fails_to_start", &[(variable, value)]);
    assert!(errors.contains(says), "{errors}");
}

#[test]
fn variables_that_make_no_sense_are_refused() {
    for (variable, unit) in [
        ("GREENWIRE_WORKERS", "1 to 256 workers"),
        ("GREENWIRE_STACK_SIZE", "1 to 1073741824 bytes"),
        ("GREENWIRE_UNBLOCK_THREADS", "1 to 4096 threads"),
    ] {
        check_refused(
            variable,
            "0",
            &format!("{variable} is 0: there must be {unit}"),
        );
        check_refused(variable, "2000000000", unit);
        check_refused(
            variable,
            "many",
            &format!("{variable} is \"many\", not a number"),
        );
        check_refused(variable, "", &format!("{variable} is \"\", not a number"));
    }
    let watchdog = "GREENWIRE_WATCHDOG";
    check_refused(
        watchdog,
        "1s",
        &format!("{watchdog} is \"1s\", not a number"),
    );
    check_refused(watchdog, "2000000000", "0 to 86400000 milliseconds");
    let guard = "GREENWIRE_STACK_GUARD";
    check_refused(
        guard,
        "page",
        &format!("{guard} is \"page\": the only guard"),
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (builder, says) in [
        (Builder::new().workers(0), "Builder::workers is 0"),
        (Builder::new().workers(257), "1 to 256 workers"),
        (Builder::new().stack_size(0), "Builder::stack_size is 0"),
        (
            Builder::new().unblock_threads(0),
            "Builder::unblock_threads is 0",
        ),
    ] {
        let error = builder.start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn variables_set_what_the_program_does_not() {
    let variables = [
        ("GREENWIRE_WORKERS", "3"),
        ("GREENWIRE_STACK_SIZE", "32768"),
        ("GREENWIRE_UNBLOCK_THREADS", "2"),
    ];
    run("child_uses_the_variables", &variables);
    run("child_prefers_its_own_settings", &variables);
}

#[test]
#[ignore = "the child process of the tests above"]
fn child_fails_to_start() {
    let error = Builder::new().start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    eprintln!("{error}");
}

/// How many threads the pool has for four jobs at a time, once it has as many as are wanted.
fn pool_threads(wanted: usize) -> usize {
    let may_end = Arc::new(AtomicBool::new(false));
    let jobs: Vec<_> = (0..4)
        .map(|_| may_end.clone())
        .map(|may_end| {
            let busy = move || {
                while !may_end.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            thread::spawn(|| unblock(busy))
        })
        .collect();
    let start = Instant::now();
    while metrics().unblock_jobs < 4 || metrics().unblock_threads < wanted {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", metrics());
        thread::sleep(Duration::from_millis(1));
    }
    let threads = metrics().unblock_threads;
    may_end.store(true, Ordering::SeqCst);
    thread::join_all(jobs);
    // Nobody is on the way to start one more now.
    threads.max(metrics().unblock_threads)
}

#[test]
#[ignore = "the child process of the tests above"]
fn child_uses_the_variables() {
    thread::spawn(thread::yield_now).join().unwrap();
    assert_eq!(metrics().workers, 3);
    let parked = thread::spawn(thread::park);
    while metrics().parked == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(metrics().stack_bytes, 32768);
    parked.thread().unpark();
    assert_eq!(pool_threads(2), 2);
}

#[test]
#[ignore = "the child process of the tests above"]
fn child_prefers_its_own_settings() {
    let builder = Builder::new().workers(1).unblock_threads(3);
    builder.stack_size(65536).start().unwrap();
    assert_eq!(metrics().workers, 1);
    assert_eq!(pool_threads(3), 3);
}
