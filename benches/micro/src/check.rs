//! The regression check: what greenwire's operations cost in bare switches of stacks, and what its parked
//! green threads take of memory.
//!
//! A ratio, measured in one process and in turn, says the same on a fast machine and on a slow one.
//! The limits are about three times what was measured, so that only a real step backwards fails.

use crate::blocking;
use crate::case::{self, Case};
use crate::greenwire::{self, Greenwire};
use crate::{memory, switch};
use std::io;

/// Bare switches that an operation may cost.
const LIMITS: [(&str, f64); 8] = [
    ("yield, 2 green threads", 12.0),
    ("yield, 1,000 green threads", 24.0),
    ("spawn and join", 150.0),
    ("channel ping-pong", 180.0),
    ("channel, one way", 12.0),
    ("ping-pong with time limits", 320.0),
    ("mutex", 20.0),
    ("mutex, yielding while locked", 45.0),
];

pub(crate) fn check(repetitions: usize) -> io::Result<()> {
    if cfg!(debug_assertions) {
        return Err(io::Error::other("--check is for --release builds"));
    }
    greenwire::start(1)?;
    let yardstick = &switch::cases()[0];
    let cases = blocking::cases::<Greenwire>();
    let mut exceeded = Vec::new();
    for (name, limit) in LIMITS {
        let case = cases.iter().find(|case| case.name == name);
        let case = case.expect("the limits are for operations that there are");
        let ratio = ratio(case, yardstick, repetitions);
        println!("{name:36} {ratio:8.1} switches, limit {limit}");
        if ratio > limit {
            exceeded.push(name);
        }
    }
    if exceeded.is_empty() {
        return memory::check();
    }
    let text = format!("slower than their limits: {}", exceeded.join("; "));
    Err(io::Error::other(text))
}

/// Of the best repetitions of both: what else the machine does can only add to them.
fn ratio(case: &Case, yardstick: &Case, repetitions: usize) -> f64 {
    let measured = case::measure(&[case, yardstick], repetitions);
    measured[0].least / measured[1].least
}
