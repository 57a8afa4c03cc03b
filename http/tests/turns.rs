//! Whose turn it is, on one worker: a process of its own.

mod common;

use common::{Client, start};
use greenwire_http::{Config, Request};
use greenwire_runtime::{Builder, thread};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_batch_of_requests_does_not_hold_up_other_green_threads() {
    const BATCH: usize = 1000;
    Builder::new().workers(1).start().unwrap();
    let answered = Arc::new(AtomicUsize::new(0));
    let when_run = Arc::new(AtomicUsize::new(usize::MAX));
    let (count, seen) = (answered.clone(), when_run.clone());
    let addr = start(Config::default(), move |_: Request| {
        // The first request starts another green thread, which notes how many were answered before it ran.
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            let (count, seen) = (count.clone(), seen.clone());
            thread::spawn(move || seen.store(count.load(Ordering::Relaxed), Ordering::Relaxed));
        }
        "hello"
    });
    let mut client = Client::new(addr);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(BATCH));
    let answer = client.finish();
    assert_eq!(answer.matches("hello").count(), BATCH);
    let turn = when_run.load(Ordering::Relaxed);
    assert!(turn <= BATCH / 2, "its turn came after {turn} requests");
}
