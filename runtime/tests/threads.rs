//! Green threads behave as threads: spawning, joining, parking, panicking, cancelling.

use greenwire_runtime::sync::mpsc;
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::{BeforePark, before_park, time, unblock};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

/// Runs `f` on a green thread, within a minute.
#[track_caller]
fn green<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(move || time::timeout(LONG, f).expect("done within a minute"))
        .join()
        .unwrap()
}

/// Counts how often it is dropped.
struct Drops(Arc<AtomicUsize>);

impl Drop for Drops {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Parks until `condition` holds.
fn wait_for(condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "the condition never held");
        thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_result_comes_out_of_join() {
    assert_eq!(
        thread::spawn(|| "hello".to_owned()).join().unwrap(),
        "hello"
    );
    assert_eq!(green(|| thread::spawn(|| 5).join().unwrap()), 5);
}

#[test]
fn a_panic_ends_one_thread_and_comes_out_of_join() {
    let other = thread::spawn(|| thread::sleep(SOON));
    let payload = thread::spawn(|| panic!("on purpose")).join().unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    other.join().unwrap();
    assert_eq!(green(|| 1), 1, "the worker lives on");
}

#[test]
fn ten_thousand_threads_run_and_end() {
    let sum = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..10_000)
        .map(|n| {
            let sum = sum.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_micros(n as u64 % 500));
                sum.fetch_add(n, Ordering::Relaxed);
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(sum.load(Ordering::Relaxed), 49_995_000);
}

#[test]
fn a_thread_stays_on_its_os_thread() {
    let threads: Vec<_> = (0..100)
        .map(|_| {
            thread::spawn(|| {
                let home = std::thread::current().id();
                for _ in 0..50 {
                    thread::sleep(Duration::from_micros(100));
                    assert_eq!(std::thread::current().id(), home);
                    thread::yield_now();
                    assert_eq!(std::thread::current().id(), home);
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn spawn_local_shares_what_is_not_send() {
    green(|| {
        let log = Rc::new(RefCell::new(Vec::new()));
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let log = log.clone();
                thread::spawn_local(move || {
                    log.borrow_mut().push(n);
                    thread::yield_now();
                    log.borrow_mut().push(n + 10);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let mut log = log.take();
        // A worker that is held up between two starts lets who has yielded go on first.
        log.sort_unstable();
        assert_eq!(log, [0, 1, 2, 10, 11, 12]);
    });
}

#[test]
fn spawn_local_on_an_os_thread_is_an_error() {
    let error = thread::Builder::new().spawn_local(|| ()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}

#[test]
fn identities_and_names() {
    let builder = thread::Builder::new().name("alice".into());
    let alice = builder
        .spawn(|| (thread::current().id(), thread::is_green()))
        .unwrap();
    assert_eq!(alice.thread().name(), Some("alice"));
    let id = alice.thread().id();
    assert_eq!(alice.join().unwrap(), (id, true));
    assert!(!thread::is_green());
    assert_eq!(thread::current().id(), thread::current().id());
    let ids: HashSet<_> = (0..100)
        .map(|_| thread::spawn(|| ()).thread().id())
        .collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn stacks_are_as_deep_as_asked_for() {
    fn deep(left: usize) -> usize {
        let frame = std::hint::black_box([left as u8; 1024]);
        if left == 0 {
            0
        } else {
            deep(left - 1) + usize::from(frame[0] == left as u8)
        }
    }
    let builder = thread::Builder::new().stack_size(4 << 20);
    assert_eq!(builder.spawn(|| deep(800)).unwrap().join().unwrap(), 800);
    let default = green(|| {
        std::hint::black_box([1u8; 64 * 1024])
            .iter()
            .map(|b| *b as usize)
            .sum::<usize>()
    });
    assert_eq!(default, 64 * 1024);
}

#[test]
fn unpark_before_park_is_not_lost() {
    green(|| {
        thread::current().unpark();
        thread::current().unpark();
        thread::park();
        let begin = Instant::now();
        thread::park_timeout(SOON);
        assert!(begin.elapsed() >= SOON, "two unparks count as one");
    });
}

#[test]
fn park_and_unpark_between_all_kinds_of_thread() {
    let os = thread::current();
    let parked = thread::spawn(move || {
        thread::park();
        os.unpark();
    });
    parked.thread().unpark();
    thread::park();
    parked.join().unwrap();
    green(|| {
        let me = thread::current();
        std::thread::spawn(move || me.unpark());
        thread::park();
    });
}

#[test]
fn sleeping_is_never_short() {
    green(|| {
        for micros in [0, 1, 50, 300, 1_000, 1_500, 12_000] {
            let (begin, duration) = (Instant::now(), Duration::from_micros(micros));
            thread::sleep(duration);
            assert!(begin.elapsed() >= duration);
        }
    });
}

#[test]
fn a_cancelled_thread_unwinds_and_join_says_so() {
    let drops = Arc::new(AtomicUsize::new(0));
    let guard = Drops(drops.clone());
    let thread = thread::spawn(move || {
        let _guard = guard;
        thread::sleep(LONG);
        unreachable!("cancelled while asleep");
    });
    thread.cancel().unwrap();
    let payload = thread.join().unwrap_err();
    assert!(payload.is::<Cancelled>());
    assert!(thread::is_cancellation(&*payload));
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn a_thread_cancelled_before_its_start_never_runs() {
    green(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let guard = Drops(drops.clone());
        let never = thread::spawn_local(move || {
            let _guard = guard;
            unreachable!("it was cancelled");
        });
        never.cancel().unwrap();
        assert!(never.join().unwrap_err().is::<Cancelled>());
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_cancellation_is_delivered_once() {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        sender.send("started").unwrap();
        let caught = panic::catch_unwind(AssertUnwindSafe(thread::park)).unwrap_err();
        assert!(thread::is_cancellation(&*caught));
        thread::sleep(SOON);
        sender.send("went on").unwrap();
    });
    assert_eq!(receiver.recv().unwrap(), "started");
    thread.cancel().unwrap();
    assert_eq!(receiver.recv().unwrap(), "went on");
    thread.join().unwrap();
}

#[test]
fn a_cancellation_waits_for_no_cancel_and_for_destructors() {
    struct WaitsInDrop(Arc<Mutex<Vec<&'static str>>>);
    impl Drop for WaitsInDrop {
        fn drop(&mut self) {
            thread::sleep(SOON);
            self.0.lock().unwrap().push("dropped");
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let inner = log.clone();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let _waits = WaitsInDrop(inner.clone());
        thread::no_cancel(|| {
            sender.send(()).unwrap();
            thread::sleep(SOON);
            inner.lock().unwrap().push("shielded");
        });
        thread::park();
    });
    receiver.recv().unwrap();
    let handle = thread.thread().clone();
    thread.cancel().unwrap();
    // The second one falls into the destructor's sleep, or after the end.
    wait_for(|| log.lock().unwrap().contains(&"shielded"));
    handle.cancel().unwrap();
    assert!(thread.join().unwrap_err().is::<Cancelled>());
    assert_eq!(*log.lock().unwrap(), ["shielded", "dropped"]);
}

#[test]
fn cancelling_everybody_at_every_moment_leaves_nothing_behind() {
    let drops = Arc::new(AtomicUsize::new(0));
    for round in 0..2_000 {
        let guard = Drops(drops.clone());
        let thread = thread::spawn(move || {
            let _guard = guard;
            let (_sender, receiver) = mpsc::sync_channel::<()>(1);
            match round % 4 {
                0 => drop(receiver.recv()),
                1 => drop(receiver.recv_timeout(LONG)),
                2 => thread::sleep(LONG),
                _ => loop {
                    thread::yield_now();
                },
            }
        });
        for _ in 0..round % 7 {
            std::thread::yield_now();
        }
        thread.cancel().unwrap();
        assert!(thread.join().unwrap_err().is::<Cancelled>());
    }
    assert_eq!(drops.load(Ordering::SeqCst), 2_000);
}

#[test]
fn cancelling_an_os_thread_is_unsupported() {
    let error = thread::current().cancel().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}

#[test]
fn a_dropped_handle_lets_the_thread_go_on_and_drops_its_result_there() {
    struct Home(std::thread::ThreadId, mpsc::Sender<bool>);
    impl Drop for Home {
        fn drop(&mut self) {
            let _ = self
                .1
                .send(std::thread::current().id() == self.0 && thread::is_green());
        }
    }
    let (sender, receiver) = mpsc::channel();
    drop(thread::spawn(move || {
        thread::sleep(SOON);
        Home(std::thread::current().id(), sender)
    }));
    assert!(receiver.recv().unwrap());
}

#[test]
fn timeouts_nest_and_the_outer_one_passes_through_the_inner() {
    for on_green in [true, false] {
        let nested = || {
            let mut inner_result = None;
            let outer = time::timeout(SOON, || {
                inner_result = Some(time::timeout(LONG, thread::park));
            });
            (outer, inner_result)
        };
        let (outer, inner) = if on_green { green(nested) } else { nested() };
        assert_eq!(outer, Err(time::Elapsed));
        assert_eq!(inner, None, "the inner block was left, not ended");
    }
}

#[test]
fn an_inner_timeout_leaves_the_outer_one_alone() {
    green(|| {
        let outer = time::timeout(LONG, || {
            assert_eq!(
                time::timeout(SOON, || thread::sleep(LONG)),
                Err(time::Elapsed)
            );
            time::timeout(Duration::ZERO, thread::park).unwrap_err();
            7
        });
        assert_eq!(outer, Ok(7));
    });
}

#[test]
fn a_timeout_runs_destructors_that_wait() {
    struct WaitsInDrop<'a>(&'a Cell<bool>);
    impl Drop for WaitsInDrop<'_> {
        fn drop(&mut self) {
            thread::sleep(SOON);
            self.0.set(true);
        }
    }
    green(|| {
        let dropped = Cell::new(false);
        let result = time::timeout(SOON, || {
            let _waits = WaitsInDrop(&dropped);
            thread::sleep(LONG);
        });
        assert_eq!((result, dropped.get()), (Err(time::Elapsed), true));
    });
}

#[test]
fn panicking_speaks_of_the_green_thread() {
    struct Parks(mpsc::Receiver<()>);
    impl Drop for Parks {
        fn drop(&mut self) {
            assert!(thread::panicking());
            let _ = self.0.recv();
            assert!(thread::panicking());
        }
    }
    green(|| {
        let (sender, receiver) = mpsc::channel();
        let unwinding = thread::spawn_local(move || {
            let _parks = Parks(receiver);
            panic!("on purpose");
        });
        thread::yield_now();
        thread::yield_now();
        assert!(!thread::panicking(), "that is the other green thread");
        let cancelled = thread::spawn_local(thread::park);
        thread::yield_now();
        cancelled.cancel().unwrap();
        assert!(
            cancelled.join().unwrap_err().is::<Cancelled>(),
            "not masked by the other one"
        );
        sender.send(()).unwrap();
        assert!(unwinding.join().is_err());
    });
}

#[test]
fn blocking_work_does_not_hold_the_worker() {
    // None of them ends before all have begun, and this test has had its turn.
    let all = Arc::new(Barrier::new(21));
    let threads: Vec<_> = (0..20)
        .map(|n| {
            let all = all.clone();
            thread::spawn(move || {
                unblock(move || {
                    all.wait();
                    n
                })
            })
        })
        .collect();
    assert_eq!(green(|| 1), 1);
    green(move || {
        unblock(move || all.wait());
    });
    let results: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(results, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_panic_of_blocking_work_reaches_the_caller() {
    let result = thread::spawn(|| unblock(|| panic!("in the pool"))).join();
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"in the pool"));
}

#[test]
fn a_caller_of_blocking_work_can_be_cancelled() {
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || unblock(move || hold.recv().is_ok()));
    thread::sleep(SOON);
    thread.cancel().unwrap();
    assert!(thread.join().unwrap_err().is::<Cancelled>());
    drop(release);
}

#[test]
fn what_is_put_off_is_done_before_parking() {
    struct Flush(Arc<Mutex<Vec<&'static str>>>);
    impl BeforePark for Flush {
        fn before_park(&self) {
            self.0.lock().unwrap().push("flushed");
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let inner = log.clone();
    green(move || {
        before_park(Arc::new(Flush(inner.clone())));
        inner.lock().unwrap().push("before");
        thread::yield_now();
        inner.lock().unwrap().push("after");
    });
    assert_eq!(*log.lock().unwrap(), ["before", "flushed", "after"]);
}
