//! Channels for one value. After std's `oneshot.rs`.

use super::support::{KINDS, LONG, SOON, pairs, spawn};
use greenwire_runtime::sync::oneshot::{
    self, RecvError, RecvTimeoutError, SendError, TryRecvError,
};
use greenwire_runtime::{thread, time};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn the_value_comes_before_or_while_it_is_waited_for() {
    for (sends, receives) in pairs() {
        for early in [true, false] {
            let (sender, receiver) = oneshot::channel();
            let receives = spawn(receives, move || {
                if early {
                    thread::sleep(Duration::from_millis(1));
                }
                receiver.recv()
            });
            spawn(sends, move || {
                if !early {
                    thread::sleep(Duration::from_millis(1));
                }
                sender.send(1).unwrap();
            })
            .join();
            assert_eq!(receives.join(), Ok(1));
        }
    }
}

#[test]
fn a_sender_that_goes_without_a_word_is_noticed() {
    let (sender, receiver) = oneshot::channel::<()>();
    let receives = spawn(super::support::Kind::Green, || receiver.recv());
    drop(sender);
    assert_eq!(receives.join(), Err(RecvError));
    let (_, receiver) = oneshot::channel::<()>();
    assert!(matches!(
        receiver.try_recv(),
        Err(TryRecvError::Disconnected)
    ));
    let (_, receiver) = oneshot::channel::<()>();
    let late = receiver.recv_timeout(LONG);
    assert!(matches!(late, Err(RecvTimeoutError::Disconnected)));
}

#[test]
fn a_receiver_that_gave_no_value_can_be_asked_again() {
    for kind in KINDS {
        spawn(kind, || {
            let (sender, receiver) = oneshot::channel();
            let Err(TryRecvError::Empty(receiver)) = receiver.try_recv() else {
                panic!("there is no value yet");
            };
            let begin = Instant::now();
            let Err(RecvTimeoutError::Timeout(receiver)) = receiver.recv_timeout(SOON) else {
                panic!("there is no value yet");
            };
            assert!(begin.elapsed() >= SOON);
            let Err(RecvTimeoutError::Timeout(receiver)) = receiver.recv_deadline(begin) else {
                panic!("there is no value yet");
            };
            sender.send(2).unwrap();
            assert_eq!(receiver.try_recv().unwrap(), 2);
        })
        .join();
    }
}

#[test]
fn a_value_without_a_receiver_is_not_kept() {
    let (sender, receiver) = oneshot::channel();
    let value = Arc::new(());
    sender.send(value.clone()).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
    let (sender, receiver) = oneshot::channel();
    drop(receiver);
    assert_eq!(sender.send(3), Err(SendError(3)));
    let (sender, receiver) = oneshot::channel::<u8>();
    let limited = time::timeout(SOON, || receiver.recv());
    assert_eq!(limited, Err(time::Elapsed));
    assert!(sender.send(4).is_err());
}
