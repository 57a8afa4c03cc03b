//! Green-local values: one for each thread, of whatever kind, from its first use to its end.
//!
//! Some of the cases follow std's tests of `thread_local!` and gevent's of `local`.

use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{Builder, green_local, thread, time};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

green_local! {
    static NUMBER: Cell<usize> = Cell::new(7);
    static LIST: RefCell<Vec<Rc<u32>>> = RefCell::default();
}

/// Runs `f` on a green thread, in time.
#[track_caller]
fn green<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(1).start();
    let thread = thread::spawn(move || time::timeout(LONG, f).expect("it ends in time"));
    thread.join().unwrap()
}

#[test]
fn each_thread_has_its_own() {
    NUMBER.set(1);
    green(|| {
        let threads = (0..100).map(|n| {
            thread::spawn_local(move || {
                let first = NUMBER.replace(n);
                thread::yield_now();
                (first, NUMBER.get() == n)
            })
        });
        for result in thread::join_all(threads) {
            assert_eq!(result.unwrap(), (7, true));
        }
        assert_eq!(NUMBER.get(), 7);
    });
    assert_eq!(NUMBER.take(), 1, "an OS thread has one, too");
    let other = std::thread::spawn(|| NUMBER.get());
    assert_eq!(other.join().unwrap(), 7);
}

#[test]
fn a_slot_that_is_used_again_has_new_values() {
    green(|| {
        for _ in 0..1_000 {
            let thread = thread::spawn_local(|| {
                LIST.with_borrow_mut(|list| list.push(Rc::new(1)));
                LIST.with_borrow(Vec::len)
            });
            assert_eq!(thread.join().unwrap(), 1);
        }
    });
}

#[test]
fn a_value_may_be_lent_while_the_thread_parks_and_while_it_is_made() {
    green_local! {
        static SLOW: String = {
            thread::sleep(Duration::from_millis(2));
            format!("{}", NUMBER.get())
        }
    }
    green(|| {
        let threads = (0..3).map(|_| {
            thread::spawn_local(|| {
                SLOW.with(|text| {
                    thread::yield_now();
                    text.clone()
                })
            })
        });
        for result in thread::join_all(threads) {
            assert_eq!(result.unwrap(), "7");
        }
    });
}

/// Notes what it sees when it is dropped.
struct Witness(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for Witness {
    fn drop(&mut self) {
        thread::yield_now();
        self.0.lock().unwrap().push(self.1);
    }
}

green_local! {
    static WITNESS: RefCell<Option<Witness>> = RefCell::new(None);
}

fn leave_a_witness(log: &Arc<Mutex<Vec<&'static str>>>) {
    WITNESS.with_borrow_mut(|witness| *witness = Some(Witness(log.clone(), "local")));
}

#[test]
fn values_are_dropped_at_the_end_before_join_returns() {
    green(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let ways: [fn(); 3] = [|| (), || panic!("on purpose"), thread::park];
        for end in ways {
            let inner = log.clone();
            let (sender, started) = mpsc::channel();
            let thread = thread::spawn(move || {
                leave_a_witness(&inner);
                let _frame = Witness(inner, "frame");
                sender.send(()).unwrap();
                end();
            });
            started.recv().unwrap();
            thread.cancel().unwrap();
            drop(thread.join());
            assert_eq!(
                std::mem::take(&mut *log.lock().unwrap()),
                ["frame", "local"]
            );
        }
    });
}

#[test]
fn a_destructor_may_use_other_values_and_make_new_ones() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    struct UsesOthers;
    impl Drop for UsesOthers {
        fn drop(&mut self) {
            assert!(OWNER.try_with(|_| ()).is_err(), "this one is gone");
            SEEN.fetch_add(NUMBER.get(), Ordering::SeqCst);
            LATER.with(|_| ());
        }
    }
    struct Later;
    impl Drop for Later {
        fn drop(&mut self) {
            SEEN.fetch_add(100, Ordering::SeqCst);
        }
    }
    green_local! {
        static OWNER: UsesOthers = UsesOthers;
        static LATER: Later = Later;
    }
    green(|| thread::spawn(|| OWNER.with(|_| ())).join().unwrap());
    assert_eq!(SEEN.load(Ordering::SeqCst), 107);
}

#[test]
fn a_result_that_nobody_wants_leaves_no_value_behind() {
    struct SetsNumber(mpsc::Sender<()>);
    impl Drop for SetsNumber {
        fn drop(&mut self) {
            NUMBER.set(99);
            self.0.send(()).unwrap();
        }
    }
    green(|| {
        let (sender, dropped) = mpsc::channel();
        drop(thread::spawn_local(move || SetsNumber(sender)));
        dropped.recv().unwrap();
        for _ in 0..300 {
            assert_eq!(thread::spawn_local(|| NUMBER.get()).join().unwrap(), 7);
        }
    });
}

#[test]
fn an_os_thread_drops_its_values_at_its_end() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let inner = log.clone();
    std::thread::spawn(move || leave_a_witness(&inner))
        .join()
        .unwrap();
    assert_eq!(*log.lock().unwrap(), ["local"]);
}
