//! The memory of stacks: only what is in use stays with a parked green thread.

#![cfg(target_os = "linux")]

use greenwire_runtime::thread::{self, JoinHandle};
use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const THREADS: usize = 200;
const DEEP: usize = 100 * 1024;
const ALL: usize = THREADS * DEEP;

/// What the process has in memory, in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[inline(never)]
fn dive() {
    black_box([1u8; DEEP]);
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Threads that have been deep in their stacks, and park once `check` has seen that.
fn divers(check: impl FnOnce()) -> Vec<JoinHandle<bool>> {
    let dived = Arc::new(AtomicUsize::new(0));
    let may_park = Arc::new(AtomicBool::new(false));
    let threads = (0..THREADS).map(|_| {
        let (dived, may_park) = (dived.clone(), may_park.clone());
        thread::spawn(move || {
            let kept = black_box([7u8; 1000]);
            dive();
            dived.fetch_add(1, Ordering::SeqCst);
            while !may_park.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            thread::park();
            kept.iter().all(|byte| *byte == 7)
        })
    });
    let threads = threads.collect();
    wait_until("they dive", || dived.load(Ordering::SeqCst) == THREADS);
    check();
    may_park.store(true, Ordering::SeqCst);
    threads
}

fn end(threads: Vec<JoinHandle<bool>>) {
    for thread in threads {
        thread.thread().unpark();
        assert!(thread.join().unwrap(), "what is in use stays");
    }
}

/// Those that wait, and those that have ended and left their stacks to the next ones.
#[test]
fn deep_pages_go_back() {
    let before = resident();
    let divers =
        || divers(|| assert!(resident() > before + ALL, "all of it is in memory at first"));
    let wait_until_back = |whose| wait_until(whose, || resident() < before + ALL / 4);
    let threads = divers();
    wait_until_back("the pages of parked ones go back");
    end(threads);
    end(divers());
    wait_until_back("the pages of ended ones go back");
}
