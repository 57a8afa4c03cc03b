//! Work that is done once, as far as std cannot be the measure: cancellation.

use super::support::{SOON, green, join, let_others_run};
use greenwire_runtime::sync::{LazyLock, Once, OnceLock, mpsc};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::sync::Arc;

#[test]
fn cancelled_work_is_left_to_the_next_one() {
    let cell = Arc::new(OnceLock::new());
    let (one, other) = (cell.clone(), cell.clone());
    let (begin, begun) = mpsc::channel();
    let cancelled = thread::spawn(move || {
        one.get_or_init(|| {
            begin.send(()).unwrap();
            thread::park();
            1
        });
    });
    begun.recv().unwrap();
    let next = thread::spawn(move || *other.get_or_init(|| 2));
    let waits = {
        let cell = cell.clone();
        thread::spawn(move || *cell.wait())
    };
    thread::sleep(SOON);
    assert_eq!(cell.get(), None);
    cancelled.cancel().unwrap();
    assert!(join(cancelled).unwrap_err().is::<Cancelled>());
    assert_eq!(join(next).unwrap(), 2);
    assert_eq!(join(waits).unwrap(), 2);
}

#[test]
fn work_that_was_cut_short_is_not_poisoned() {
    green(|| {
        let once = Once::new();
        let limited = time::timeout(SOON, || once.call_once(thread::park));
        assert_eq!(limited, Err(time::Elapsed));
        assert!(!once.is_completed());
        once.call_once_force(|state| assert!(!state.is_poisoned()));
        assert!(once.is_completed());
    });
}

#[test]
fn the_making_of_a_lazy_value_is_not_cut_short() {
    green(|| {
        let lazy = Arc::new(LazyLock::new(|| {
            thread::sleep(SOON);
            3
        }));
        let value = lazy.clone();
        let cancelled = thread::spawn_local(move || {
            LazyLock::force(&value);
            thread::park();
        });
        let_others_run();
        cancelled.cancel().unwrap();
        assert_eq!(**lazy, 3);
        assert!(cancelled.join().unwrap_err().is::<Cancelled>());
    });
}
