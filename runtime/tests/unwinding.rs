//! A green thread that waits in its destructors unwinds meanwhile, and others of its worker run. What is known
//! of them all the same: whether they unwind, and for what.

use greenwire_runtime::sync::{Event, Mutex, mpsc};
use greenwire_runtime::{Builder, thread, time};
use std::any::Any;
use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Once, PoisonError};
use std::time::Duration;

/// How often the program's own panic hook was called.
static REPORTED: AtomicU32 = AtomicU32::new(0);

/// Runs `f` on a thread of its own, while no other test runs, and fails if it hangs.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    static START: Once = Once::new();
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    START.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            REPORTED.fetch_add(1, Ordering::SeqCst);
            report(info);
        }));
        Builder::new().workers(1).start().unwrap();
    });
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(f()));
    receiver
        .recv_timeout(Duration::from_secs(30))
        .expect("it ends in time")
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn text(payload: Box<dyn Any + Send>) -> &'static str {
    payload.downcast_ref::<&str>().copied().expect("a text")
}

/// Waits for an event when it is dropped.
struct Slow(Arc<Event>);

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// A green thread that is in the middle of its unwinding until it may end.
struct Unwinding {
    thread: thread::JoinHandle<()>,
    may_end: Arc<Event>,
}

impl Unwinding {
    fn begin() -> Unwinding {
        let may_end = Arc::new(Event::new());
        let slow = Slow(may_end.clone());
        let (sender, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let _slow = slow;
            sender.send(()).unwrap();
            thread::park();
        });
        started.recv().unwrap();
        thread.cancel().unwrap();
        // It begins to unwind before one that is spawned later has ended.
        thread::spawn(thread::yield_now).join().unwrap();
        Unwinding { thread, may_end }
    }

    fn end(self) {
        assert!(!self.thread.is_finished());
        self.may_end.set();
        self.thread.join().unwrap_err();
    }
}

#[test]
fn timeouts_work_again_and_again_while_another_unwinds() {
    in_time(|| {
        let other = Unwinding::begin();
        let thread = thread::spawn(|| {
            for _ in 0..3 {
                let limited = time::timeout(millis(5), thread::park);
                assert_eq!(limited, Err(time::Elapsed));
            }
        });
        thread.join().unwrap();
        other.end();
    });
}

#[test]
fn a_panic_while_another_unwinds_poisons() {
    in_time(|| {
        let other = Unwinding::begin();
        let lock = Arc::new(Mutex::new(0));
        let held = lock.clone();
        let thread = thread::spawn(move || {
            let _guard = held.lock();
            panic!("poison");
        });
        assert_eq!(text(thread.join().unwrap_err()), "poison");
        assert!(lock.is_poisoned());
        other.end();
    });
}

/// Panics, and waits in a destructor, which is told of.
fn panic_slowly(end: Arc<Event>, waits: &mpsc::Sender<()>) {
    struct Tells<'a>(&'a mpsc::Sender<()>);
    impl Drop for Tells<'_> {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let _slow = Slow(end);
    let _tells = Tells(waits);
    panic!("slowly");
}

#[test]
fn a_cancellation_waits_for_the_destructors_of_a_panic_while_another_unwinds() {
    in_time(|| {
        let other = Unwinding::begin();
        let (sender, waits) = mpsc::channel();
        let done = Arc::new(Event::new());
        let dropped = done.clone();
        let thread = thread::spawn(move || panic_slowly(dropped, &sender));
        waits.recv().unwrap();
        thread.cancel().unwrap();
        let thread = thread.join_timeout(millis(5)).unwrap_err();
        done.set();
        assert_eq!(text(thread.join().unwrap_err()), "slowly");
        other.end();
    });
}

#[test]
fn a_limit_waits_for_the_destructors_of_a_panic_while_another_unwinds() {
    in_time(|| {
        let other = Unwinding::begin();
        let (sender, waits) = mpsc::channel();
        let done = Arc::new(Event::new());
        let dropped = done.clone();
        let thread = thread::spawn(move || {
            time::timeout(millis(1), || panic_slowly(dropped, &sender)).unwrap();
        });
        waits.recv().unwrap();
        let thread = thread.join_timeout(millis(5)).unwrap_err();
        done.set();
        assert_eq!(text(thread.join().unwrap_err()), "slowly");
        other.end();
    });
}

#[test]
fn after_a_caught_panic_limits_pass_while_another_unwinds() {
    in_time(|| {
        let other = Unwinding::begin();
        let thread = thread::spawn(|| {
            let caught = thread::catch_panic(|| panic!("caught"));
            assert_eq!(text(caught.unwrap_err()), "caught");
            let limited = time::timeout(millis(5), thread::park);
            assert_eq!(limited, Err(time::Elapsed));
        });
        thread.join().unwrap();
        other.end();
    });
}

/// std does not tell when it has caught a panic, so it might still go on.
#[test]
fn after_a_panic_that_std_caught_limits_pass_when_nobody_unwinds() {
    in_time(|| {
        let other = Unwinding::begin();
        let thread = thread::spawn(|| {
            panic::catch_unwind(|| panic!("caught")).unwrap_err();
            let limited = time::timeout(millis(5), thread::park);
            assert_eq!(limited, Err(time::Elapsed));
        });
        thread::sleep(millis(10));
        other.end();
        thread.join().unwrap();
    });
}

#[test]
fn a_panic_that_std_caught_before_another_unwinds_is_over() {
    in_time(|| {
        let (sender, parks) = mpsc::channel();
        let thread = thread::spawn(move || {
            panic::catch_unwind(|| panic!("caught")).unwrap_err();
            sender.send(()).unwrap();
            thread::park();
            let limited = time::timeout(millis(5), thread::park);
            assert_eq!(limited, Err(time::Elapsed));
        });
        parks.recv().unwrap();
        let other = Unwinding::begin();
        thread.thread().unpark();
        thread.join().unwrap();
        other.end();
    });
}

#[test]
fn cancellations_and_limits_are_no_panics_to_be_caught() {
    in_time(|| {
        let limited = time::timeout(millis(1), || thread::catch_panic(thread::park).is_err());
        assert_eq!(limited, Err(time::Elapsed));
        let thread = thread::spawn(|| thread::catch_panic(thread::park).is_err());
        thread.cancel().unwrap();
        assert!(thread.join().unwrap_err().is::<thread::Cancelled>());
    });
}

#[test]
fn the_hook_of_the_program_reports_panics_and_no_cancellations() {
    in_time(|| {
        let before = REPORTED.load(Ordering::SeqCst);
        let other = Unwinding::begin();
        other.end();
        thread::spawn(|| panic!("reported")).join().unwrap_err();
        assert!(REPORTED.load(Ordering::SeqCst) > before);
    });
}
