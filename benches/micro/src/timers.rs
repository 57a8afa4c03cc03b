//! A million timers: armed, so that all are live at the same time, and then cancelled.
//!
//! For greenwire it is the wheel of a worker itself, compiled from its source: from outside, each of its
//! timers belongs to a green thread, and a million of these cost more than the timers.

use crate::case::Case;
use std::hint::black_box;
use std::time::{Duration, Instant};
use wheel::Wheel;

#[path = "../../../runtime/src/timer.rs"]
#[expect(dead_code, reason = "none of these timers fires")]
mod wheel;

pub(crate) const NAME: &str = "a million timers, arm and cancel";
pub(crate) const COUNT: u64 = 1_000_000;

pub(crate) fn case() -> Case {
    Case {
        name: NAME,
        peer: "greenwire",
        workers: 1,
        run: on_the_wheel,
        at_least: COUNT,
    }
}

/// When each of them would fire: in one to sixty seconds, in no order.
pub(crate) fn delays() -> impl Iterator<Item = Duration> {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    (0..COUNT).map(move |_| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        Duration::from_secs(1) + Duration::from_nanos(random % 59_000_000_000)
    })
}

/// One operation is a timer that is armed and cancelled.
fn on_the_wheel(operations: u64) -> Duration {
    let deadlines: Vec<u64> = delays().map(|delay| delay.as_nanos() as u64).collect();
    let mut wheel = Wheel::new();
    // Makes room, once for all rounds.
    round(&mut wheel, &deadlines);
    let start = Instant::now();
    for _ in 0..operations / COUNT {
        round(&mut wheel, &deadlines);
    }
    start.elapsed()
}

fn round(wheel: &mut Wheel, deadlines: &[u64]) {
    for (timer, deadline) in (0..).zip(deadlines) {
        wheel.arm(timer, *deadline);
    }
    for timer in 0..deadlines.len() as u32 {
        black_box(&mut *wheel).cancel(timer);
    }
}
