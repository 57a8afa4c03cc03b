//! What the stories share: a deadline on everything.

#![allow(dead_code, reason = "every story uses a part of it")]

pub(crate) mod node;
pub(crate) mod redis_server;

use greenwire_runtime::thread;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

/// No step of a story takes that long, unless it hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Tells the story on a green thread, within the deadline.
#[track_caller]
pub(crate) fn on_green(story: impl FnOnce() + Send + 'static) {
    match thread::spawn(story).join_timeout(DEADLINE) {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_still_runs) => panic!(
            "the story has not ended in {DEADLINE:?}:\n{}",
            greenwire_runtime::dump()
        ),
    }
}

/// Tells the story on a green thread, then on this OS thread.
#[track_caller]
pub(crate) fn on_both(story: fn()) {
    on_green(story);
    story();
}

/// Lets others run until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "it does not happen: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
