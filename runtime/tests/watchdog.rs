//! The watchdog names a green thread that keeps its worker from all others, and only such a one.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use greenwire_runtime::{Builder, thread};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_millis(20);

/// Keeps what is logged.
struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        let mut lines = self.0.lock().unwrap();
        lines.push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// The reports about the green thread of this name.
fn reports(name: &str) -> Vec<String> {
    let lines = LOG.0.lock().unwrap();
    let about = |line: &&String| line.contains(&format!("'{name}' has held worker"));
    lines.iter().filter(about).cloned().collect()
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "{what}: {:?}", LOG.0.lock().unwrap());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
        Builder::new().workers(2).watchdog(LIMIT).start().unwrap();
    });
}

fn spawn<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    start();
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(f).unwrap()
}

#[inline(never)]
fn spin_until(flag: &AtomicBool) -> u64 {
    let mut x = 1u64;
    while !flag.load(Ordering::SeqCst) {
        let mut n = 100_000;
        while n > 0 {
            x ^= x << 1;
            n -= 1;
        }
    }
    x
}

#[test]
fn a_busy_loop_is_named_once() {
    let flags = [const { AtomicBool::new(false) }; 2];
    let flags = Arc::new(flags);
    let seen = flags.clone();
    let hog = spawn("hog", move || {
        spin_until(&seen[0]);
        thread::yield_now();
        spin_until(&seen[1]);
    });
    wait_until("the first hold is reported", || reports("hog").len() == 1);
    // Further looks at the same hold, as the next report of another green thread shows.
    let other = Arc::new(AtomicBool::new(false));
    let stop = other.clone();
    let witness = spawn("witness", move || spin_until(&stop));
    wait_until("another one is reported", || reports("witness").len() == 1);
    assert_eq!(reports("hog").len(), 1, "once for each hold");
    flags[0].store(true, Ordering::SeqCst);
    wait_until("the second hold is reported", || reports("hog").len() == 2);
    flags[1].store(true, Ordering::SeqCst);
    other.store(true, Ordering::SeqCst);
    hog.join().unwrap();
    witness.join().unwrap();
    for report in reports("hog") {
        assert!(report.contains("spin_until"), "{report}");
        let milliseconds = report.split_once(" for ").unwrap().1;
        let milliseconds = milliseconds.split_once(" ms").unwrap().0;
        assert!(milliseconds.parse::<u64>().unwrap() >= 20, "{report}");
    }
}

#[test]
fn a_system_call_is_named_and_goes_on() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let reader = spawn("reads", move || {
        let mut byte = [0];
        theirs.read(&mut byte).map(|count| (count, byte[0]))
    });
    wait_until("the blocking read is reported", || {
        !reports("reads").is_empty()
    });
    ours.write_all(&[7]).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), (1, 7));
}

fn run_child(name: &str, watchdog: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("GREENWIRE_WATCHDOG", watchdog)
        .output()
        .unwrap()
}

#[track_caller]
fn check_child(name: &str, watchdog: &str) {
    let output = run_child(name, watchdog);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn who_yields_is_never_named() {
    check_child("child_yields", "1000");
}

#[test]
#[ignore = "the child process of the test above"]
fn child_yields() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let end = Instant::now() + Duration::from_secs(3);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                while Instant::now() < end {
                    thread::yield_now();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert!(LOG.0.lock().unwrap().is_empty(), "{:?}", LOG.0.lock());
}

#[test]
fn at_rest_it_never_wakes() {
    check_child("child_rests", "10");
}

#[test]
#[ignore = "the child process of the test above"]
fn child_rests() {
    thread::spawn(|| thread::sleep(Duration::from_millis(50)))
        .join()
        .unwrap();
    // The workers sweep their stacks about a second later, and so it may look once more.
    let switches = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let mut watchdogs = tasks.filter_map(|task| {
            let path = task.ok()?.path();
            let name = fs::read_to_string(path.join("comm")).ok()?;
            let status = fs::read_to_string(path.join("status")).ok()?;
            name.starts_with("greenwire-watch").then_some(status)
        });
        let status = watchdogs.next().expect("there is a watchdog");
        let mut lines = status.lines();
        let switches = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        switches.unwrap().trim().parse::<u64>().unwrap()
    };
    // 500 ms without a wake-up are 100 of its looks.
    let quiet = || {
        let before = switches();
        std::thread::sleep(Duration::from_millis(500));
        switches() == before
    };
    wait_until("it rests", || quiet() && quiet());
}

#[test]
fn the_variable_is_checked() {
    check_child("child_has_a_bad_variable", "soon");
}

#[test]
#[ignore = "the child process of the test above"]
fn child_has_a_bad_variable() {
    let error = Builder::new().start().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("GREENWIRE_WATCHDOG"), "{error}");
}
