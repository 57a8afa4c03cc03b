//! Children cost no descriptor once they have ended. A process of its own: it counts its descriptors.

#![cfg(target_os = "linux")]

use greenwire_runtime::thread;
use greenwire_system::process::{Command, Stdio};
use std::fs;
use std::time::{Duration, Instant};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn child() -> Command {
    let mut child = Command::new("cat");
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    child
}

fn use_children() {
    for _ in 0..20 {
        assert_eq!(child().output().unwrap().stdout, b"");
        let mut talker = child().spawn().unwrap();
        assert_eq!(talker.communicate("text", None).unwrap().stdout, b"text");
        let mut late = child().spawn().unwrap();
        assert_eq!(late.wait_timeout(Duration::ZERO).unwrap(), None);
        assert!(
            late.wait_timeout(Duration::from_micros(1))
                .unwrap()
                .is_none()
        );
        late.kill().unwrap();
        late.wait().unwrap();
        // Dropped while it waits for its input, whose end it then sees.
        drop(child().spawn().unwrap());
        assert!(
            Command::new("no such program")
                .stdout(Stdio::piped())
                .spawn()
                .is_err()
        );
    }
}

#[test]
fn none_is_left() {
    // Workers, their reactors, the pool: whatever comes once.
    thread::spawn(use_children).join().unwrap();
    let before = descriptors();
    thread::spawn(use_children).join().unwrap();
    use_children();
    let start = Instant::now();
    while descriptors() > before {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{} of {before}",
            descriptors()
        );
        thread::sleep(Duration::from_millis(5));
    }
}
