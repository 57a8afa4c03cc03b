//! Rare orders of events on a single worker, each of which once went wrong.

use greenwire_runtime::{Builder, thread, unblock};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs `f` on a thread of its own, and fails if it hangs.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(1).start();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(f()));
    receiver.recv_timeout(Duration::from_secs(10)).expect("it ends in time")
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Panics when it is dropped, as a panic's payload, too.
struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        panic!("spite");
    }
}

/// Waits when it is dropped.
struct Slow(Duration);

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(self.0);
    }
}

#[test]
fn no_payload_reaches_the_worker() {
    struct PanicsWithSpite;
    impl Drop for PanicsWithSpite {
        fn drop(&mut self) {
            std::panic::panic_any(Spiteful);
        }
    }
    in_time(|| {
        drop(thread::spawn(|| {
            thread::yield_now();
            PanicsWithSpite
        }));
        thread::sleep(millis(20));
        assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
    });
}

#[test]
fn dropping_a_handle_swallows_no_cancellation() {
    in_time(|| {
        let thread = thread::spawn(|| {
            let child = thread::spawn(|| Slow(millis(20)));
            while !child.is_finished() {
                thread::yield_now();
            }
            thread::current().cancel().unwrap();
            drop(child);
            thread::park();
        });
        let payload = thread.join().unwrap_err();
        assert!(payload.is::<thread::Cancelled>());
    });
}

#[test]
fn results_that_nobody_wants_cost_no_pool_thread() {
    in_time(|| {
        for _ in 0..70 {
            let caller = thread::spawn(|| {
                unblock(|| {
                    std::thread::sleep(millis(5));
                    Spiteful
                });
            });
            thread::sleep(millis(1));
            caller.cancel().unwrap();
            let _ = caller.join();
        }
        thread::sleep(millis(50));
        assert_eq!(thread::spawn(|| unblock(|| 3)).join().unwrap(), 3);
    });
}
