//! Work that is done once, and the values that it makes.

use super::{sync, thread};
use std::panic::{AssertUnwindSafe, catch_unwind};
use sync::atomic::{AtomicUsize, Ordering};
use sync::{Arc, LazyLock, Once, OnceLock};

fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn work_is_done_once_and_the_others_wait_for_it() {
    let once = Arc::new(Once::new());
    let count = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..10)
        .map(|_| {
            let (once, count) = (once.clone(), count.clone());
            thread::spawn(move || {
                once.call_once(|| {
                    thread::yield_now();
                    count.fetch_add(1, Ordering::SeqCst);
                });
                assert_eq!(count.load(Ordering::SeqCst), 1);
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert!(once.is_completed());
    once.wait();
    once.wait_force();
    assert_eq!(format!("{once:?}"), "Once { .. }");
}

#[test]
fn work_that_panicked_can_only_be_forced() {
    static ONCE: Once = Once::new();
    assert!(panics(|| ONCE.call_once(|| panic!("on purpose"))));
    assert!(panics(|| ONCE.call_once(|| {})));
    assert!(panics(|| ONCE.wait()));
    assert!(!ONCE.is_completed());
    let waits = thread::spawn(|| ONCE.wait_force());
    ONCE.call_once_force(|state| assert!(state.is_poisoned()));
    waits.join().unwrap();
    ONCE.call_once(|| panic!("it is done"));
    let fresh = Once::new();
    fresh.call_once_force(|state| assert!(!state.is_poisoned()));
}

#[test]
fn who_waits_for_work_does_not_do_it() {
    static ONCE: Once = Once::new();
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let waits: Vec<_> = (0..5)
        .map(|_| {
            thread::spawn(|| {
                ONCE.wait();
                DONE.load(Ordering::SeqCst)
            })
        })
        .collect();
    thread::yield_now();
    ONCE.call_once(|| DONE.store(1, Ordering::SeqCst));
    for thread in waits {
        assert_eq!(thread.join().unwrap(), 1);
    }
}

#[test]
fn a_value_is_written_once() {
    static CELL: OnceLock<i32> = OnceLock::new();
    assert_eq!(CELL.get(), None);
    let waits = thread::spawn(|| *CELL.wait());
    assert_eq!(CELL.set(1), Ok(()));
    assert_eq!(CELL.set(2), Err(2));
    assert_eq!(CELL.get_or_init(|| 3), &1);
    assert_eq!(waits.join().unwrap(), 1);
}

#[test]
fn one_of_many_makes_the_value() {
    static CELL: OnceLock<usize> = OnceLock::new();
    let make = |n| {
        move || {
            *CELL.get_or_init(|| {
                thread::yield_now();
                n
            })
        }
    };
    let threads: Vec<_> = (0..10).map(|n| thread::spawn(make(n))).collect();
    for thread in threads {
        assert_eq!(Some(&thread.join().unwrap()), CELL.get());
    }
}

#[test]
fn a_value_can_be_made_after_a_panic() {
    let cell = OnceLock::new();
    assert!(panics(|| {
        cell.get_or_init(|| panic!("on purpose"));
    }));
    assert_eq!(cell.get_or_init(|| 4), &4);
}

#[test]
fn a_cell_is_a_value() {
    let mut cell = OnceLock::from(String::from("one"));
    assert_eq!(cell.clone(), cell);
    assert_ne!(cell, OnceLock::default());
    cell.get_mut().unwrap().push('!');
    assert_eq!(format!("{cell:?}"), "OnceLock(\"one!\")");
    assert_eq!(cell.take().as_deref(), Some("one!"));
    assert_eq!(format!("{cell:?}"), "OnceLock(<uninit>)");
    assert_eq!(cell.get_or_init(|| "two".into()), "two");
    assert_eq!(cell.into_inner().as_deref(), Some("two"));
}

#[test]
fn a_lazy_value_is_made_when_it_is_used() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    static LAZY: LazyLock<Vec<i32>> = LazyLock::new(|| {
        MADE.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        vec![1, 2]
    });
    assert_eq!(format!("{LAZY:?}"), "LazyLock(<uninit>)");
    assert!(LazyLock::get(&LAZY).is_none());
    let threads: Vec<_> = (0..5).map(|_| thread::spawn(|| LAZY.len())).collect();
    threads
        .into_iter()
        .for_each(|thread| assert_eq!(thread.join().unwrap(), 2));
    assert_eq!(LazyLock::force(&LAZY), &[1, 2]);
    assert_eq!(MADE.load(Ordering::SeqCst), 1);
    assert_eq!(format!("{LAZY:?}"), "LazyLock([1, 2])");
}

#[test]
fn a_lazy_value_can_be_changed_by_its_owner() {
    let text = String::from("one");
    let mut lazy = LazyLock::new(move || text);
    assert!(LazyLock::get_mut(&mut lazy).is_none());
    lazy.push('!');
    LazyLock::force_mut(&mut lazy).push('?');
    assert_eq!(LazyLock::get_mut(&mut lazy).unwrap(), "one!?");
    assert_eq!(*LazyLock::<i32>::default(), 0);
}

#[test]
fn a_lazy_value_whose_making_panicked_never_comes() {
    let lazy: LazyLock<i32> = LazyLock::new(|| panic!("on purpose"));
    assert!(panics(|| assert_eq!(*lazy, 0)));
    assert!(panics(|| assert_eq!(*lazy, 0)));
    assert_eq!(LazyLock::get(&lazy), None);
}
