//! Channels between threads of both kinds, those with many receivers, and cancellation.

use super::support::{KINDS, Kind, LONG, SOON, green, join, let_others_run, pairs, spawn};
use greenwire_runtime::sync::mpmc::{self, SendTimeoutError};
use greenwire_runtime::sync::mpsc::{self, RecvTimeoutError, TrySendError};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::time::{Duration, Instant};

#[test]
fn a_channel_keeps_the_order_of_each_sender() {
    for (sends, receives) in pairs() {
        let (sender, receiver) = mpsc::channel();
        let receives = spawn(receives, move || {
            let mut next = [0; 3];
            for (who, n) in receiver {
                assert_eq!(next[who], n);
                next[who] += 1;
            }
            assert_eq!(next, [1000; 3]);
        });
        for who in 0..3 {
            let sender = sender.clone();
            spawn(sends, move || {
                (0..1000).for_each(|n| sender.send((who, n)).unwrap())
            })
            .join();
        }
        drop(sender);
        receives.join();
    }
}

#[test]
fn a_full_channel_holds_its_senders_back() {
    for bound in [0, 1, 7] {
        for (sends, receives) in pairs() {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let sender = sender.clone();
                    spawn(sends, move || {
                        (1..=250).for_each(|n| sender.send(n).unwrap())
                    })
                })
                .collect();
            drop(sender);
            spawn(receives, move || {
                assert_eq!(receiver.iter().sum::<i32>(), 125_500)
            })
            .join();
            senders.into_iter().for_each(|sender| sender.join());
        }
    }
}

#[test]
fn a_rendezvous_returns_once_the_value_is_received() {
    green(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        let sends = thread::spawn_local(move || sender.send(1));
        let_others_run();
        assert!(!sends.is_finished());
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(sends.join().unwrap(), Ok(()));
    });
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
fn a_receive_waits_no_longer_than_it_may() {
    for kind in KINDS {
        spawn(kind, || {
            let (_sender, receiver) = mpsc::channel::<()>();
            let begin = Instant::now();
            assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
            assert!(begin.elapsed() >= SOON);
            assert_eq!(time::timeout(SOON, || receiver.recv()), Err(time::Elapsed));
            assert_eq!(
                receiver.recv_timeout(Duration::ZERO),
                Err(RecvTimeoutError::Timeout)
            );
        })
        .join();
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

#[test]
fn every_value_goes_to_one_of_many_receivers() {
    for bound in [None, Some(0), Some(1), Some(5)] {
        for (sends, receives) in pairs() {
            let (sender, receiver) = match bound {
                None => mpmc::channel(),
                Some(bound) => mpmc::sync_channel(bound),
            };
            let receivers: Vec<_> = (0..3)
                .map(|_| {
                    let receiver = receiver.clone();
                    spawn(receives, move || receiver.iter().collect::<Vec<_>>())
                })
                .collect();
            drop(receiver);
            let senders: Vec<_> = (0..3)
                .map(|n| {
                    let sender = sender.clone();
                    spawn(sends, move || {
                        (0..200).for_each(|m| sender.send(n * 200 + m).unwrap())
                    })
                })
                .collect();
            drop(sender);
            senders.into_iter().for_each(|sender| sender.join());
            let mut received: Vec<_> = receivers.into_iter().flat_map(|it| it.join()).collect();
            received.sort_unstable();
            assert_eq!(received, (0..600).collect::<Vec<_>>());
        }
    }
}

#[test]
fn receivers_and_senders_are_served_in_turn() {
    green(|| {
        let (sender, receiver) = mpmc::sync_channel(1);
        let receives: Vec<_> = (0..4)
            .map(|_| {
                let receiver = receiver.clone();
                let thread = thread::spawn_local(move || receiver.recv().unwrap());
                let_others_run();
                thread
            })
            .collect();
        (0..4).for_each(|n| sender.send(n).unwrap());
        for (n, thread) in receives.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), n);
        }

        sender.send(9).unwrap();
        let sends: Vec<_> = (0..4)
            .map(|n| {
                let sender = sender.clone();
                let thread = thread::spawn_local(move || sender.send(n).unwrap());
                let_others_run();
                thread
            })
            .collect();
        let received: Vec<_> = (0..5).map(|_| receiver.recv().unwrap()).collect();
        assert_eq!(received, [9, 0, 1, 2, 3]);
        sends.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_send_waits_no_longer_than_it_may() {
    for kind in KINDS {
        for bound in [0, 1] {
            spawn(kind, move || {
                let (sender, receiver) = mpmc::sync_channel(bound);
                (0..bound).for_each(|n| sender.send(n).unwrap());
                let begin = Instant::now();
                let late = sender.send_timeout(7, SOON);
                assert_eq!(late, Err(SendTimeoutError::Timeout(7)));
                assert!(begin.elapsed() >= SOON);
                let late = sender.send_deadline(7, begin);
                assert_eq!(late, Err(SendTimeoutError::Timeout(7)));
                let limited = time::timeout(SOON, || sender.send(8));
                assert_eq!(limited, Err(time::Elapsed));
                assert_eq!(
                    receiver.try_iter().collect::<Vec<_>>(),
                    (0..bound).collect::<Vec<_>>()
                );
                assert_eq!(
                    receiver.recv_deadline(Instant::now() + SOON),
                    Err(RecvTimeoutError::Timeout)
                );
                drop(receiver);
                let gone = sender.send_timeout(9, LONG);
                assert_eq!(gone, Err(SendTimeoutError::Disconnected(9)));
            })
            .join();
        }
    }
}

#[test]
fn a_channel_knows_how_full_it_is() {
    let (sender, receiver) = mpmc::sync_channel(2);
    assert!(sender.is_empty() && receiver.is_empty() && !sender.is_full());
    (0..2).for_each(|n| sender.send(n).unwrap());
    assert!(sender.is_full() && receiver.is_full() && !receiver.is_empty());
    assert_eq!((sender.len(), receiver.len()), (2, 2));
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
    let (other, endless) = mpmc::channel();
    other.send(1).unwrap();
    assert_eq!((endless.capacity(), endless.is_full()), (None, false));
    assert!(sender.same_channel(&sender.clone()) && !sender.same_channel(&other));
    assert!(receiver.same_channel(&receiver.clone()) && !receiver.same_channel(&endless));
}

#[test]
fn the_last_receiver_that_goes_tells_the_senders() {
    let (sender, receiver) = mpmc::sync_channel(0);
    let other = receiver.clone();
    let sends = spawn(Kind::Green, move || sender.send(1));
    drop(receiver);
    thread::sleep(SOON);
    drop(other);
    assert!(sends.join().is_err());
}

#[test]
fn a_cancelled_receiver_takes_no_value_with_it() {
    for _ in 0..200 {
        let (sender, receiver) = mpmc::channel();
        let (one, other) = (receiver.clone(), receiver);
        let victim = thread::spawn(move || one.recv().unwrap());
        let survivor = thread::spawn(move || other.recv().unwrap());
        let thread = victim.thread().clone();
        let cancels = spawn(Kind::Os, move || thread.cancel().unwrap());
        sender.send(1).unwrap();
        cancels.join();
        if join(victim).is_ok() {
            sender.send(2).unwrap();
        }
        join(survivor).unwrap();
    }
}

#[test]
fn a_cancelled_sender_takes_no_room_with_it() {
    for _ in 0..200 {
        let (sender, receiver) = mpmc::sync_channel(1);
        sender.send(0).unwrap();
        let (one, other) = (sender.clone(), sender);
        let victim = thread::spawn(move || one.send(1).unwrap());
        let survivor = thread::spawn(move || other.send(2).unwrap());
        let thread = victim.thread().clone();
        let cancels = spawn(Kind::Os, move || thread.cancel().unwrap());
        assert_eq!(receiver.recv(), Ok(0));
        cancels.join();
        if join(victim).is_ok() {
            receiver.recv().unwrap();
        }
        join(survivor).unwrap();
    }
}
