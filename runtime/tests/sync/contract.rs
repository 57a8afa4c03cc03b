//! What holds for everything that waits, whoever waits and whoever wakes it. After gevent's
//! `test_outer_timeout_is_not_lost` and its like, which every wait of gevent's goes through.

use super::support::{KINDS, Kind, LONG, SOON, join, pairs, spawn};
use greenwire_runtime::sync::{
    Barrier, Condvar, Event, Mutex, Once, RwLock, Semaphore, mpmc, oneshot, select,
};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time::{self, Elapsed};
use std::sync::Arc;

/// Waits until `wake` is called: once for each that waits.
type Wait = Arc<dyn Fn() + Send + Sync>;
type Wake = Box<dyn Fn() + Send + Sync>;

type New = fn() -> (Wait, Wake);

/// Everything that waits, each with a new pair of its wait and its wake.
const SUBJECTS: [(&str, New); 14] = [
    ("Mutex::lock", mutex),
    ("RwLock::read", || rw_lock(|lock| drop(lock.read()))),
    ("RwLock::write", || rw_lock(|lock| drop(lock.write()))),
    ("Condvar::wait", condvar),
    ("Barrier::wait", barrier),
    ("Once::call_once", || once(|once| once.call_once(|| {}))),
    ("Once::wait", || once(Once::wait)),
    ("Semaphore::acquire", semaphore),
    ("Event::wait", event),
    ("Receiver::recv", || {
        receive(|receiver| receiver.recv().unwrap())
    }),
    ("Sender::send, bound 1", || send(1)),
    ("Sender::send, bound 0", || send(0)),
    ("oneshot::Receiver::recv", one_value),
    ("select!", || {
        receive(|receiver| {
            let never = Event::new();
            select! {
                wait(never) => unreachable!("nobody sets it"),
                recv(receiver) -> value => value.unwrap(),
            }
        })
    }),
];

/// Keeps something busy on a green thread until the wake that is returned is called.
fn busy(f: impl FnOnce(&dyn Fn()) + Send + 'static) -> Wake {
    let (started, begun) = oneshot::channel();
    let done = Arc::new(Event::new());
    let end = done.clone();
    thread::spawn(move || {
        let started = std::cell::Cell::new(Some(started));
        f(&|| {
            started.take().map(|started| started.send(()));
            end.wait();
        });
    });
    begun.recv().unwrap();
    Box::new(move || done.set())
}

fn mutex() -> (Wait, Wake) {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.clone();
    let wake = busy(move |hold| {
        let _guard = held.lock();
        hold();
    });
    (Arc::new(move || drop(mutex.lock().unwrap())), wake)
}

fn rw_lock(take: fn(&RwLock<()>)) -> (Wait, Wake) {
    let lock = Arc::new(RwLock::new(()));
    let held = lock.clone();
    let wake = busy(move |hold| {
        let _guard = held.write();
        hold();
    });
    (Arc::new(move || take(&lock)), wake)
}

fn condvar() -> (Wait, Wake) {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let notified = pair.clone();
    let wait = move || {
        let count = pair.0.lock().unwrap();
        *pair.1.wait_while(count, |count| *count == 0).unwrap() -= 1;
    };
    let wake = move || {
        *notified.0.lock().unwrap() += 1;
        notified.1.notify_one();
    };
    (Arc::new(wait), Box::new(wake))
}

fn barrier() -> (Wait, Wake) {
    let barrier = Arc::new(Barrier::new(2));
    let other = barrier.clone();
    let wake = move || {
        other.wait();
    };
    let wait = move || {
        barrier.wait();
    };
    (Arc::new(wait), Box::new(wake))
}

fn once(wait: fn(&Once)) -> (Wait, Wake) {
    let once = Arc::new(Once::new());
    let running = once.clone();
    let wake = busy(move |work| running.call_once(work));
    (Arc::new(move || wait(&once)), wake)
}

fn semaphore() -> (Wait, Wake) {
    let semaphore = Arc::new(Semaphore::new(0));
    let other = semaphore.clone();
    let wait = move || semaphore.acquire().forget();
    (Arc::new(wait), Box::new(move || other.add_permits(1)))
}

fn event() -> (Wait, Wake) {
    let event = Arc::new(Event::new());
    let other = event.clone();
    (
        Arc::new(move || event.wait()),
        Box::new(move || other.set()),
    )
}

fn receive(take: fn(&mpmc::Receiver<()>)) -> (Wait, Wake) {
    let (sender, receiver) = mpmc::channel();
    let wait = move || take(&receiver);
    (Arc::new(wait), Box::new(move || sender.send(()).unwrap()))
}

fn send(bound: usize) -> (Wait, Wake) {
    let (sender, receiver) = mpmc::sync_channel(bound);
    (0..bound).for_each(|_| sender.send(()).unwrap());
    let open = receiver.clone();
    let wait = move || {
        sender.send(()).unwrap();
        let _ = &open; // as long as somebody waits
    };
    (Arc::new(wait), Box::new(move || receiver.recv().unwrap()))
}

/// Only the first one receives; who comes later finds that there is nothing more to wait for.
fn one_value() -> (Wait, Wake) {
    let (sender, receiver) = oneshot::channel();
    let (sender, receiver) = (
        std::sync::Mutex::new(Some(sender)),
        std::sync::Mutex::new(Some(receiver)),
    );
    let wait = move || {
        let receiver = receiver.lock().unwrap().take();
        if let Some(receiver) = receiver {
            receiver.recv().unwrap();
        }
    };
    let wake = move || {
        let sender = sender.lock().unwrap().take();
        sender.map(|sender| sender.send(()));
    };
    (Arc::new(wait), Box::new(wake))
}

/// Runs `check` for everything that waits, and says which is at fault.
fn for_each_subject(check: impl Fn(Wait, Wake)) {
    for (name, new) in SUBJECTS {
        let (wait, wake) = new();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(wait, wake)));
        if let Err(payload) = checked {
            eprintln!("this was {name}");
            std::panic::resume_unwind(payload);
        }
    }
}

#[test]
fn who_waits_is_woken() {
    for (waits, wakes) in pairs() {
        for_each_subject(|wait, wake| {
            let waits = spawn(waits, move || wait());
            thread::sleep(SOON / 5);
            let wakes = spawn(wakes, wake);
            waits.join();
            wakes.join();
        });
    }
}

#[test]
fn a_wait_ends_with_the_limit_around_it_and_can_be_begun_again() {
    for kind in KINDS {
        for_each_subject(|wait, wake| {
            let waits = spawn(kind, move || {
                assert_eq!(time::timeout(SOON, || wait()), Err(Elapsed));
                wait
            });
            let wait = waits.join();
            let wakes = spawn(Kind::Green, wake);
            spawn(kind, move || wait()).join();
            wakes.join();
        });
    }
}

#[test]
fn an_outer_limit_passes_through_an_inner_one() {
    for kind in KINDS {
        for_each_subject(|wait, _wake| {
            spawn(kind, move || {
                let outer = time::timeout(SOON, || time::timeout(LONG, || wait()));
                assert_eq!(outer, Err(Elapsed));
                let inner = time::timeout(LONG, || time::timeout(SOON, thread::park));
                assert_eq!(inner, Ok(Err(Elapsed)));
            })
            .join();
        });
    }
}

#[test]
fn who_is_cancelled_while_being_woken_leaves_it_to_the_next_one() {
    for_each_subject(|wait, wake| {
        let (one, other) = (wait.clone(), wait);
        let victim = thread::spawn(move || one());
        let survivor = thread::spawn(move || other());
        thread::sleep(SOON / 5);
        let thread = victim.thread().clone();
        let cancels = spawn(Kind::Os, move || thread.cancel().unwrap());
        let wakes = spawn(Kind::Green, move || {
            wake();
            wake
        });
        cancels.join();
        let wakes_again = match join(victim) {
            Ok(()) => Some(spawn(Kind::Os, move || wakes.join()())),
            Err(payload) => {
                assert!(payload.is::<Cancelled>());
                None
            }
        };
        join(survivor).unwrap();
        drop(wakes_again);
    });
}

#[test]
fn a_second_cancellation_waits_for_a_destructor_that_waits() {
    struct Slow;
    impl Drop for Slow {
        fn drop(&mut self) {
            thread::sleep(SOON);
        }
    }
    for_each_subject(|wait, _wake| {
        let waits = thread::spawn(move || {
            let _slow = Slow;
            wait();
        });
        thread::sleep(SOON / 5);
        waits.cancel().unwrap();
        thread::sleep(SOON / 5);
        waits.cancel().unwrap();
        assert!(join(waits).unwrap_err().is::<Cancelled>());
    });
}

#[test]
fn waits_work_in_a_destructor_of_a_thread_that_unwinds() {
    struct Waits(Wait);
    impl Drop for Waits {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    for_each_subject(|wait, wake| {
        let unwinds = thread::spawn(move || {
            let _waits = Waits(wait);
            thread::park();
        });
        thread::sleep(SOON / 5);
        unwinds.cancel().unwrap();
        let wakes = spawn(Kind::Os, wake);
        assert!(join(unwinds).unwrap_err().is::<Cancelled>());
        wakes.join();
    });
}

#[test]
fn what_nobody_waits_for_is_as_small_as_documented() {
    assert_eq!(size_of::<Mutex<u64>>(), 64 + 8);
    assert_eq!(size_of::<RwLock<u64>>(), 80 + 8);
    assert_eq!(size_of::<Condvar>(), 48);
    assert_eq!(size_of::<Event>(), 56);
    assert_eq!(size_of::<Semaphore>(), 56);
}
