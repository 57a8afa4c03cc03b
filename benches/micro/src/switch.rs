//! The yardsticks: one resume and one suspend of a bare coroutine of corosensei.
//!
//! The first resumes the same one again and again, which no scheduler does: a CPU then predicts all of
//! it, and the stack stays in its nearest cache. The others take two and a thousand in turn.

use crate::case::Case;
use corosensei::{Coroutine, Yielder};
use std::time::{Duration, Instant};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run, at_least| Case {
        name,
        peer: "corosensei",
        workers: 1,
        run,
        at_least,
    };
    vec![
        case("switch", switch::<1>, 1_000),
        case("switch, 2 in turn", switch::<2>, 1_000),
        case("switch, 1,000 in turn", switch::<1_000>, 100_000),
    ]
}

fn switch<const COROUTINES: u64>(operations: u64) -> Duration {
    let body = |yielder: &Yielder<bool, ()>, mut go_on: bool| {
        while go_on {
            go_on = yielder.suspend(());
        }
    };
    let mut coroutines: Vec<_> = (0..COROUTINES).map(|_| Coroutine::new(body)).collect();
    let start = Instant::now();
    for _ in 0..operations / COROUTINES {
        for coroutine in &mut coroutines {
            coroutine.resume(true);
        }
    }
    let taken = start.elapsed();
    for mut coroutine in coroutines {
        coroutine.resume(false);
    }
    taken
}
