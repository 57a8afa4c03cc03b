//! Scoped threads: they borrow, and the scope never ends before them.
//!
//! Some of the cases follow those of std's own tests of `thread::scope`.

use greenwire_runtime::sync::{Mutex, mpsc};
use greenwire_runtime::{Builder, thread, time};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

/// Runs `f` on an OS thread and on a green one, each within half a minute.
#[track_caller]
fn on_both(f: fn()) {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    let (sender, ended) = std::sync::mpsc::channel();
    let to = sender.clone();
    std::thread::spawn(move || to.send(panic::catch_unwind(f).is_ok()));
    let green = move || sender.send(panic::catch_unwind(f).is_ok());
    let _green = thread::spawn(green);
    for _ in 0..2 {
        let passed = ended.recv_timeout(Duration::from_secs(30));
        assert!(passed.expect("it ends in time"), "see the panic above");
    }
}

/// Says when it is dropped, after a wait.
struct Late<'a>(&'a AtomicBool);

impl Drop for Late<'_> {
    fn drop(&mut self) {
        thread::sleep(SOON);
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A panic that is on purpose.
fn caught<T>(f: impl FnOnce() -> T) -> Box<dyn std::any::Any + Send> {
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => payload,
    }
}

#[test]
fn threads_borrow_and_their_results_come_out_of_join() {
    on_both(|| {
        let words = ["one".to_owned(), "three".to_owned()];
        let mut total = 0;
        let longest = thread::scope(|s| {
            let lengths: Vec<_> = words.iter().map(|word| s.spawn(|| word.len())).collect();
            s.spawn(|| total = words.len());
            let borrowed = s.spawn(|| &words[1]);
            assert_eq!(borrowed.join().unwrap(), "three");
            lengths.into_iter().map(|t| t.join().unwrap()).max()
        });
        assert_eq!((longest, total), (Some(5), 2));
    });
}

#[test]
fn a_scope_waits_for_threads_that_nobody_joins() {
    on_both(|| {
        let done = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..100 {
                s.spawn(|| {
                    thread::sleep(SOON);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 100);
    });
}

#[test]
fn threads_spawn_into_their_scope() {
    on_both(|| {
        let done = AtomicUsize::new(0);
        thread::scope(|s| {
            s.spawn(|| {
                thread::sleep(SOON);
                s.spawn(|| {
                    thread::sleep(SOON);
                    s.spawn(|| done.fetch_add(1, Ordering::SeqCst));
                });
            });
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn what_a_thread_owns_is_dropped_before_the_scope_ends() {
    on_both(|| {
        let (captured, local, result) = Default::default();
        thread::scope(|s| {
            let guard = Late(&captured);
            s.spawn(|| {
                let _guard = guard;
                let _local = Late(&local);
                Late(&result)
            });
        });
        let all: [&AtomicBool; 3] = [&captured, &local, &result];
        assert!(all.iter().all(|dropped| dropped.load(Ordering::SeqCst)));
    });
}

#[test]
fn a_thread_cancelled_before_its_start_drops_what_it_borrowed_in_time() {
    on_both(|| {
        for _ in 0..100 {
            let dropped = AtomicBool::new(false);
            thread::scope(|s| {
                let guard = Late(&dropped);
                let never = s.spawn(move || {
                    let _guard = guard;
                    thread::park();
                });
                never.cancel().unwrap();
            });
            assert!(dropped.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn a_panic_that_nobody_joins_comes_out_of_the_scope() {
    on_both(|| {
        let done = AtomicBool::new(false);
        let payload = caught(|| {
            thread::scope(|s| {
                s.spawn(|| panic!("on purpose"));
                s.spawn(|| drop(Late(&done)));
            });
        });
        assert_eq!(payload.downcast_ref(), Some(&"a scoped thread panicked"));
        assert!(done.load(Ordering::SeqCst), "the others have ended");
    });
}

#[test]
fn a_panic_that_is_joined_stays_inside() {
    on_both(|| {
        let payload = thread::scope(|s| s.spawn(|| panic!("on purpose")).join().unwrap_err());
        assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    });
}

#[test]
fn a_panic_of_the_scope_itself_waits_for_the_threads() {
    on_both(|| {
        let done = AtomicBool::new(false);
        let payload = caught(|| {
            thread::scope(|s| {
                s.spawn(|| drop(Late(&done)));
                panic!("the scope's own");
            });
        });
        assert_eq!(payload.downcast_ref(), Some(&"the scope's own"));
        assert!(done.load(Ordering::SeqCst));
    });
}

#[test]
fn a_cancelled_thread_has_not_panicked() {
    on_both(|| {
        thread::scope(|s| {
            let parked = s.spawn(thread::park);
            parked.cancel().unwrap();
        });
    });
}

#[test]
fn a_forgotten_handle_changes_nothing() {
    on_both(|| {
        let value = 7;
        thread::scope(|s| std::mem::forget(s.spawn(|| &value)));
    });
}

#[test]
fn a_cancelled_scope_cancels_its_threads_and_waits_for_them() {
    on_both(|| {
        for in_join in [true, false] {
            let (sender, started) = mpsc::channel();
            let (ended, all) = mpsc::channel();
            let outer = thread::spawn(move || {
                let local = AtomicBool::new(false);
                let _told = Told(&local, ended);
                thread::scope(|s| {
                    s.spawn(|| {
                        let _late = Late(&local);
                        sender.send(()).unwrap();
                        thread::park();
                    });
                    if !in_join {
                        thread::park();
                    }
                });
            });
            started.recv().unwrap();
            outer.cancel().unwrap();
            let payload = outer.join().unwrap_err();
            assert!(payload.is::<thread::Cancelled>());
            assert_eq!(all.recv(), Ok(true), "the thread had ended before");
        }
    });
}

/// Tells, when it is dropped, whether the flag was set.
struct Told<'a>(&'a AtomicBool, mpsc::Sender<bool>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.1.send(self.0.load(Ordering::SeqCst)).unwrap();
    }
}

#[test]
fn a_cancelled_scope_cancels_threads_that_are_spawned_even_then() {
    on_both(|| {
        let outer = thread::spawn(|| {
            thread::scope(|s| {
                s.spawn(|| {
                    struct SpawnsAnother<'scope, 'env>(&'scope thread::Scope<'scope, 'env>);
                    impl Drop for SpawnsAnother<'_, '_> {
                        fn drop(&mut self) {
                            self.0.spawn(|| thread::sleep(LONG));
                        }
                    }
                    let _spawns = SpawnsAnother(s);
                    thread::park();
                });
            });
        });
        thread::sleep(SOON);
        outer.cancel().unwrap();
        assert!(outer.join().unwrap_err().is::<thread::Cancelled>());
    });
}

#[test]
fn a_timeout_around_a_scope_ends_its_threads() {
    on_both(|| {
        let dropped = AtomicBool::new(false);
        let result = time::timeout(SOON, || {
            thread::scope(|s| {
                let late = Late(&dropped);
                s.spawn(move || {
                    let _late = late;
                    thread::park();
                });
            });
        });
        assert_eq!(result, Err(time::Elapsed));
        assert!(dropped.load(Ordering::SeqCst));
    });
}

#[test]
fn a_limit_that_passes_while_a_panicked_scope_waits_is_not_lost() {
    on_both(|| {
        let result = time::timeout(SOON, || {
            caught(|| {
                thread::scope(|s| {
                    s.spawn(thread::park);
                    panic!("on purpose");
                });
            });
            thread::park();
        });
        assert_eq!(result, Err(time::Elapsed));
    });
}

#[test]
fn a_cancelled_scope_poisons_no_lock_around_it() {
    on_both(|| {
        let lock = std::sync::Arc::new(Mutex::new(()));
        let inner = lock.clone();
        let outer = thread::spawn(move || {
            let _guard = inner.lock().unwrap();
            thread::scope(|s| {
                s.spawn(thread::park);
            });
        });
        thread::sleep(SOON);
        outer.cancel().unwrap();
        drop(outer.join());
        assert!(!lock.is_poisoned());
    });
}

#[test]
fn scoped_threads_run_on_any_worker() {
    on_both(|| {
        let homes: Vec<_> = thread::scope(|s| {
            let spawn = |index| {
                let builder = thread::Builder::new().worker(index);
                let run = || std::thread::current().name().map(str::to_owned);
                builder.spawn_scoped(s, run).unwrap()
            };
            let threads: Vec<_> = (0..2).map(spawn).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let expected = ["greenwire-0", "greenwire-1"].map(|name| Some(name.to_owned()));
        assert_eq!(homes, expected);
    });
}

#[test]
fn many_scopes_race_with_their_last_thread() {
    on_both(|| {
        for n in 0..2_000 {
            let mut value = 0;
            thread::scope(|s| {
                s.spawn(|| value = n);
            });
            assert_eq!(value, n);
        }
    });
}
