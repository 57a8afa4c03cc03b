//! Locks and channels between green threads, OS threads, and both.

use greenwire_runtime::sync::{Mutex, mpsc};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

/// A thread of either kind.
fn spawn(green: bool, f: impl FnOnce() + Send + 'static) -> impl FnOnce() {
    let (green, os) = match green {
        true => (Some(thread::spawn(f)), None),
        false => (None, Some(std::thread::spawn(f))),
    };
    move || {
        green.into_iter().for_each(|thread| thread.join().unwrap());
        os.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// Each combination of two kinds of thread.
const PAIRS: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

#[test]
fn a_mutex_excludes_among_threads_of_both_kinds() {
    let total = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..16)
        .map(|n| {
            let total = total.clone();
            spawn(n % 2 == 0, move || {
                for _ in 0..500 {
                    let mut total = total.lock().unwrap();
                    let before = *total;
                    if n % 4 == 0 {
                        thread::yield_now();
                    }
                    *total = before + 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|join| join());
    assert_eq!(*total.lock().unwrap(), 8_000);
}

#[test]
fn a_lock_is_granted_in_turn() {
    let order = Arc::new(Mutex::new(Vec::new()));
    thread::spawn(move || {
        let held = order.lock().unwrap();
        let threads: Vec<_> = (0..5)
            .map(|n| {
                let order = order.clone();
                let thread = thread::spawn_local(move || order.lock().unwrap().push(n));
                thread::yield_now();
                thread::yield_now();
                thread
            })
            .collect();
        drop(held);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    })
    .join()
    .unwrap();
}

#[test]
fn a_mutex_is_poisoned_by_a_panic_and_not_by_a_cancellation() {
    let mutex = Arc::new(Mutex::new(1));
    let holder = mutex.clone();
    let cancelled = thread::spawn(move || {
        let _guard = holder.lock();
        thread::park();
    });
    while mutex.try_lock().is_ok() {
        thread::yield_now();
    }
    cancelled.cancel().unwrap();
    assert!(cancelled.join().unwrap_err().is::<Cancelled>());
    assert_eq!(mutex.lock().map(|guard| *guard).unwrap(), 1);

    let holder = mutex.clone();
    let panicked = thread::spawn(move || {
        let _guard = holder.lock();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1);
    mutex.clear_poison();
    assert!(mutex.lock().is_ok());
}

#[test]
fn who_is_cancelled_while_being_granted_a_lock_passes_it_on() {
    let mutex = Arc::new(Mutex::new(()));
    for _ in 0..300 {
        let guard = mutex.lock().unwrap();
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let mutex = mutex.clone();
                thread::spawn(move || drop(mutex.lock()))
            })
            .collect();
        let victim = waiters[0].thread().clone();
        let canceller = std::thread::spawn(move || victim.cancel().unwrap());
        drop(guard);
        canceller.join().unwrap();
        for (index, waiter) in waiters.into_iter().enumerate() {
            let result = waiter.join();
            assert!(index == 0 || result.is_ok());
        }
    }
}

#[test]
fn a_channel_keeps_the_order_of_each_sender() {
    for (sends_green, receives_green) in PAIRS {
        let (sender, receiver) = mpsc::channel();
        let receives = spawn(receives_green, move || {
            let mut next = [0; 3];
            for (who, n) in receiver {
                assert_eq!(next[who], n);
                next[who] += 1;
            }
            assert_eq!(next, [1000; 3]);
        });
        for who in 0..3 {
            let sender = sender.clone();
            spawn(sends_green, move || {
                (0..1000).for_each(|n| sender.send((who, n)).unwrap())
            })();
        }
        drop(sender);
        receives();
    }
}

#[test]
fn a_full_channel_holds_its_senders_back() {
    for bound in [0, 1, 7] {
        for (sends_green, receives_green) in PAIRS {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let sends: Vec<_> = (0..4)
                .map(|_| {
                    let sender = sender.clone();
                    spawn(sends_green, move || {
                        (1..=250).for_each(|n| sender.send(n).unwrap())
                    })
                })
                .collect();
            drop(sender);
            spawn(receives_green, move || {
                assert_eq!(receiver.iter().sum::<i32>(), 125_500)
            })();
            sends.into_iter().for_each(|join| join());
        }
    }
}

#[test]
fn a_rendezvous_returns_once_the_value_is_received() {
    thread::spawn(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        let sends = thread::spawn_local(move || sender.send(1));
        thread::yield_now();
        thread::yield_now();
        assert!(!sends.is_finished());
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(sends.join().unwrap(), Ok(()));
    })
    .join()
    .unwrap();
}

#[test]
fn a_value_that_a_cancelled_sender_offered_is_gone() {
    let (sender, receiver) = mpsc::sync_channel(0);
    let other = sender.clone();
    let cancelled = thread::spawn(move || sender.send("cancelled"));
    let sends = thread::spawn(move || other.send("sent"));
    thread::sleep(SOON);
    cancelled.cancel().unwrap();
    assert!(cancelled.join().unwrap_err().is::<Cancelled>());
    assert_eq!(receiver.recv(), Ok("sent"));
    sends.join().unwrap().unwrap();
    assert!(receiver.recv().is_err());
}

#[test]
fn disconnection_is_seen_from_both_ends() {
    let (sender, receiver) = mpsc::channel();
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.recv(), Ok(1));
    assert!(receiver.recv().is_err());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(
        receiver.recv_timeout(LONG),
        Err(RecvTimeoutError::Disconnected)
    );

    let (sender, receiver) = mpsc::channel();
    drop(receiver);
    assert_eq!(sender.send(2).unwrap_err().0, 2);

    for bound in [0, 1] {
        let (sender, receiver) = mpsc::sync_channel(bound);
        let sends = thread::spawn(move || (0..2).try_for_each(|n| sender.send(n)));
        thread::sleep(SOON);
        drop(receiver);
        assert!(sends.join().unwrap().is_err());
    }
}

#[test]
fn a_receive_waits_no_longer_than_it_may() {
    for green in [true, false] {
        spawn(green, || {
            let (_sender, receiver) = mpsc::channel::<()>();
            let begin = Instant::now();
            assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
            assert!(begin.elapsed() >= SOON);
            assert_eq!(time::timeout(SOON, || receiver.recv()), Err(time::Elapsed));
            assert_eq!(
                receiver.recv_timeout(Duration::ZERO),
                Err(RecvTimeoutError::Timeout)
            );
        })();
    }
}

#[test]
fn a_value_that_comes_with_the_deadline_is_not_lost() {
    let (sender, receiver) = mpsc::channel();
    let sends = thread::spawn(move || {
        for n in 0..2_000 {
            sender.send(n).unwrap();
            thread::sleep(Duration::from_micros(20));
        }
    });
    let receives = thread::spawn(move || {
        let mut next = 0;
        loop {
            match receiver.recv_timeout(Duration::from_micros(20)) {
                Ok(n) => {
                    assert_eq!(n, next);
                    next += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return next,
            }
        }
    });
    sends.join().unwrap();
    assert_eq!(receives.join().unwrap(), 2_000);
}
