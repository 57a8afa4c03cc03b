//! Peers that read slowly or not at all: what the policies do, and that nobody else notices.

mod common;

use common::{DEADLINE, Raw, expect, serve_senders, wait_until};
use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, Prepared, Sender, SlowReader, broadcast};
use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

const SIZE: usize = 10_000;
const BOUND: usize = 100_000;

/// A connection that reads nothing, and the sender to it.
fn connect_slow(policy: SlowReader) -> (Raw, Sender) {
    let config = Config::default().max_queued(BOUND).slow_reader(policy);
    let (addr, senders) = serve_senders(config);
    let raw = Raw::connect(addr);
    (raw, senders.recv_timeout(DEADLINE).unwrap())
}

/// Sends messages that begin with their number until a thousand are dropped. Returns how many they were, and
/// the numbers of those for which none was dropped.
fn send_numbers(sender: &Sender) -> (u32, Vec<u32>) {
    let mut message = vec![0; SIZE];
    let mut kept = Vec::new();
    let mut number = 0u32;
    while sender.dropped() < 1000 {
        message[..4].copy_from_slice(&number.to_be_bytes());
        let before = sender.dropped();
        sender.send(&message).unwrap();
        if sender.dropped() == before {
            kept.push(number);
        }
        // One whole message more than the bound may be held, and what the socket is being given.
        assert!(sender.queued() <= BOUND + 2 * SIZE + 64 * 1024);
        number += 1;
    }
    (number, kept)
}

/// The numbers of the messages that arrive, up to `last`.
fn read_numbers(raw: &mut Raw, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let (opcode, payload) = raw.read_frame();
        assert_eq!((opcode, payload.len()), (2, SIZE));
        numbers.push(u32::from_be_bytes(*payload.first_chunk().unwrap()));
    }
    assert!(numbers.is_sorted());
    numbers
}

#[test]
fn the_oldest_messages_are_dropped() {
    let (mut raw, sender) = connect_slow(SlowReader::DropOldest);
    let (sent, _) = send_numbers(&sender);
    let numbers = read_numbers(&mut raw, sent - 1);
    assert_eq!(numbers.len() as u64 + sender.dropped(), u64::from(sent));
    // The beginning had left already, and the end is there without a gap.
    assert_eq!(numbers[0], 0);
    let tail = &numbers[numbers.len() - 5..];
    assert_eq!(tail, [sent - 5, sent - 4, sent - 3, sent - 2, sent - 1]);
}

#[test]
fn the_newest_messages_are_dropped() {
    let (mut raw, sender) = connect_slow(SlowReader::DropNewest);
    let (sent, kept) = send_numbers(&sender);
    assert_eq!(kept.len() as u32, sent - 1000);
    let last = *kept.last().expect("the first ones");
    assert_eq!(read_numbers(&mut raw, last), kept);
    // There is room again.
    wait_until(|| sender.queued() == 0);
    sender.send("news").unwrap();
    assert_eq!(raw.read_frame(), (1, b"news".to_vec()));
}

#[test]
fn the_connection_is_closed_with_1013() {
    let (mut raw, sender) = connect_slow(SlowReader::Disconnect);
    let refused = loop {
        if let Err(error) = sender.send(vec![0; SIZE]) {
            break error;
        }
    };
    assert!(matches!(refused, Error::SlowReader), "{refused}");
    assert!(matches!(sender.send("late"), Err(Error::Closed)));
    // What had begun to leave comes first.
    loop {
        match raw.read_frame() {
            (2, payload) => assert_eq!(payload.len(), SIZE),
            (opcode, payload) => {
                assert_eq!((opcode, &payload[..2]), (8, &1013u16.to_be_bytes()[..]));
                return;
            }
        }
    }
}

#[test]
fn waiting_senders_hear_of_a_close() {
    let (_raw, sender) = connect_slow(SlowReader::Wait);
    let other = sender.clone();
    let waits = thread::spawn(move || {
        loop {
            if let Err(error) = other.send(vec![0; SIZE]) {
                return error;
            }
        }
    });
    wait_until(|| sender.queued() >= BOUND);
    sender.close(1001, "").unwrap();
    assert!(matches!(waits.join().unwrap(), Error::Closed));
}

/// One of a thousand reads nothing. The others get every message, in order, and what is kept for the
/// one stays within its bound.
fn broadcast_beside_a_slow_reader(policy: SlowReader) {
    const OTHERS: usize = 1000;
    const MESSAGES: u32 = 20;
    // So much that none of the others is too slow for the messages.
    const BOUND: usize = 1 << 20;
    let config = Config::default().max_queued(BOUND).slow_reader(policy);
    let (addr, senders) = serve_senders(config);
    let _slow = Raw::connect(addr);
    let slow = senders.recv_timeout(DEADLINE).unwrap();
    fill(&slow, BOUND);

    let readers: Vec<_> = (0..OTHERS)
        .map(|_| thread::spawn(move || read_broadcast(addr, MESSAGES)))
        .collect();
    let next = || senders.recv_timeout(DEADLINE).unwrap();
    let mut all: Vec<Sender> = (0..OTHERS).map(|_| next()).collect();
    all.insert(OTHERS / 2, slow.clone());
    let full = slow.clone();
    let sending = thread::spawn(move || {
        for number in 0..MESSAGES {
            // The kernel may have found more room meanwhile.
            while full.queued() < BOUND && full.send(vec![0; SIZE]).is_ok() {}
            let mut message = vec![0; SIZE];
            message[..4].copy_from_slice(&number.to_be_bytes());
            let took = broadcast(&all, &Prepared::new(message));
            assert!(took >= OTHERS, "only {took} took message {number}");
        }
    });
    sending.join().unwrap();
    readers
        .into_iter()
        .for_each(|reader| reader.join().unwrap());

    assert!(
        slow.queued() <= BOUND + 2 * SIZE + 64 * 1024,
        "{}",
        slow.queued()
    );
    let disconnected = policy == SlowReader::Disconnect;
    assert_eq!(
        (slow.is_closed(), slow.dropped() > 0),
        (disconnected, !disconnected)
    );
}

/// Sends until `bound` bytes wait, and the socket takes no more.
fn fill(sender: &Sender, bound: usize) {
    let mut before = 0;
    while sender.queued() != before || before < bound {
        while sender.queued() < bound {
            sender.send(vec![0; SIZE]).unwrap();
        }
        before = sender.queued();
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn read_broadcast(addr: SocketAddr, messages: u32) {
    let mut ws = common::connect(addr);
    for number in 0..messages {
        let message = expect(&mut ws).into_bytes();
        assert_eq!(message[..4], number.to_be_bytes());
    }
}

#[test]
fn a_broadcast_drops_for_a_slow_reader_whose_senders_would_wait() {
    broadcast_beside_a_slow_reader(SlowReader::Wait);
}

#[test]
fn a_broadcast_drops_old_messages_for_a_slow_reader() {
    broadcast_beside_a_slow_reader(SlowReader::DropOldest);
}

#[test]
fn a_broadcast_parts_with_a_slow_reader() {
    broadcast_beside_a_slow_reader(SlowReader::Disconnect);
}

#[test]
fn messages_that_are_broadcast_before_the_next_wait_leave_together() {
    let (addr, senders) = serve_senders(Config::default());
    let mut raw = Raw::connect(addr);
    let all = [senders.recv_timeout(DEADLINE).unwrap()];
    let sending = thread::spawn(move || {
        for text in ["one", "two", "three"] {
            assert_eq!(broadcast(&all, &Prepared::new(text)), 1);
        }
    });
    sending.join().unwrap();
    let mut bytes = [0; 100];
    let n = raw.0.read(&mut bytes).unwrap();
    assert_eq!(&bytes[..n], b"\x81\x03one\x81\x03two\x81\x05three");
}
