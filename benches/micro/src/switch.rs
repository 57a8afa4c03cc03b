//! The yardstick: one resume and one suspend of a bare coroutine of corosensei.

use crate::case::Case;
use corosensei::{Coroutine, Yielder};
use std::time::{Duration, Instant};

pub(crate) const NAME: &str = "switch";

pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: NAME,
        peer: "corosensei",
        workers: 1,
        run: switch,
        at_least: 1_000,
    }]
}

pub(crate) fn switch(operations: u64) -> Duration {
    let body = |yielder: &Yielder<bool, ()>, mut go_on: bool| {
        while go_on {
            go_on = yielder.suspend(());
        }
    };
    let mut coroutine = Coroutine::new(body);
    let start = Instant::now();
    for _ in 0..operations {
        coroutine.resume(true);
    }
    let taken = start.elapsed();
    coroutine.resume(false);
    taken
}
