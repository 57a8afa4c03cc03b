//! Channels with one receiver.

use super::{sync, thread};
use std::time::{Duration, Instant};
use sync::atomic::{AtomicUsize, Ordering};
use sync::mpsc::{self, RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(30);

/// Both kinds of channel, as far as they are alike, sending a few values.
fn for_each_bound(
    check: impl Fn(Box<dyn Fn(i32) -> Result<(), SendError<i32>> + Send>, mpsc::Receiver<i32>),
) {
    let (sender, receiver) = mpsc::channel();
    check(Box::new(move |n| sender.send(n)), receiver);
    for bound in [1, 2, 100] {
        let (sender, receiver) = mpsc::sync_channel(bound);
        check(Box::new(move |n| sender.send(n)), receiver);
    }
}

#[test]
fn values_come_in_order_until_all_senders_are_gone() {
    for_each_bound(|send, receiver| {
        let sends = thread::spawn(move || (0..100).for_each(|n| send(n).unwrap()));
        assert_eq!(
            receiver.iter().take(50).collect::<Vec<_>>(),
            (0..50).collect::<Vec<_>>()
        );
        for next in &receiver {
            assert!((50..60).contains(&next));
            if next == 59 {
                break;
            }
        }
        assert_eq!(receiver.into_iter().sum::<i32>(), (60..100).sum());
        sends.join().unwrap();
    });
}

#[test]
fn an_empty_channel_says_whether_there_is_hope() {
    for_each_bound(|send, receiver| {
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(
            receiver.recv_timeout(Duration::ZERO),
            Err(RecvTimeoutError::Timeout)
        );
        send(1).unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
        send(2).unwrap();
        drop(send);
        assert_eq!(receiver.recv_timeout(LONG), Ok(2));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(
            receiver.recv_timeout(LONG),
            Err(RecvTimeoutError::Disconnected)
        );
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_iter().next(), None);
    });
}

#[test]
fn a_value_that_cannot_be_sent_comes_back() {
    for_each_bound(|send, receiver| {
        drop(receiver);
        assert_eq!(send(1), Err(SendError(1)));
    });
    let (sender, receiver) = mpsc::sync_channel(1);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    drop(receiver);
    assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
}

#[test]
fn who_waits_sees_the_other_side_go() {
    let (sender, receiver) = mpsc::channel::<()>();
    let receives = thread::spawn(move || receiver.recv());
    let other = sender.clone();
    drop(sender);
    thread::yield_now();
    drop(other);
    assert_eq!(receives.join().unwrap(), Err(RecvError));

    for bound in [0, 1] {
        let (sender, receiver) = mpsc::sync_channel(bound);
        let sends = thread::spawn(move || (0..2).find_map(|n| sender.send(n).err()));
        thread::yield_now();
        drop(receiver);
        assert!(sends.join().unwrap().is_some());
    }
}

#[test]
fn a_bound_holds_senders_back() {
    static SENT: AtomicUsize = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(3);
    let sends = thread::spawn(move || {
        for n in 0..100 {
            sender.send(n).unwrap();
            SENT.store(n + 1, Ordering::SeqCst);
        }
    });
    for n in 0..100 {
        assert_eq!(receiver.recv(), Ok(n));
        // Those received, three in the channel, and one that was just received.
        assert!(SENT.load(Ordering::SeqCst) <= n + 5);
    }
    sends.join().unwrap();
}

#[test]
fn a_rendezvous_ends_with_the_receipt() {
    let (sender, receiver) = mpsc::sync_channel(0);
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    let received = sync::Arc::new(AtomicUsize::new(0));
    let seen = received.clone();
    let sends = thread::spawn(move || {
        for n in 1..=100 {
            sender.send(n).unwrap();
            assert!(seen.load(Ordering::SeqCst) + 1 >= n);
        }
    });
    for n in 1..=100 {
        assert_eq!(receiver.recv(), Ok(n));
        received.store(n, Ordering::SeqCst);
    }
    sends.join().unwrap();
    assert_eq!(receiver.recv(), Err(RecvError));
}

#[test]
fn a_try_meets_a_receiver_that_waits() {
    let (sender, receiver) = mpsc::sync_channel(0);
    let receives = thread::spawn(move || receiver.recv());
    let begin = Instant::now();
    while sender.try_send(5) == Err(TrySendError::Full(5)) {
        assert!(begin.elapsed() < LONG);
        thread::yield_now();
    }
    assert_eq!(receives.join().unwrap(), Ok(5));
}

#[test]
fn time_runs_out_and_very_long_times_do_not_matter() {
    let (sender, receiver) = mpsc::channel();
    let begin = Instant::now();
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    assert!(begin.elapsed() >= SOON);
    let receives = thread::spawn(move || receiver.recv_timeout(Duration::MAX));
    sender.send(1).unwrap();
    assert_eq!(receives.join().unwrap(), Ok(1));
}

#[test]
fn many_send_and_one_receives_all() {
    let (sender, receiver) = mpsc::channel();
    for n in 0..8 {
        let sender = sender.clone();
        thread::spawn(move || (0..500).for_each(|m| sender.send(n * 500 + m).unwrap()));
    }
    drop(sender);
    let mut received: Vec<_> = receiver.iter().collect();
    received.sort_unstable();
    assert_eq!(received, (0..4000).collect::<Vec<_>>());
}

#[test]
fn what_nobody_receives_is_dropped() {
    struct Counts<'a>(&'a AtomicUsize);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    (0..3).for_each(|_| assert!(sender.send(Counts(&dropped)).is_ok()));
    drop(receiver);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    drop(sender.send(Counts(&dropped)));
    assert_eq!(dropped.load(Ordering::SeqCst), 4);
}

#[test]
fn they_say_what_they_are() {
    let (sender, receiver) = mpsc::channel::<i32>();
    assert_eq!(
        format!("{sender:?} {receiver:?}"),
        "Sender { .. } Receiver { .. }"
    );
    let (sender, _receiver) = mpsc::sync_channel::<i32>(1);
    assert_eq!(format!("{sender:?}"), "SyncSender { .. }");
    fn check<T: Send + Sync>() {}
    check::<mpsc::Sender<i32>>();
    check::<mpsc::SyncSender<i32>>();
}
