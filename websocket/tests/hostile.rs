//! Peers that keep to the letter of the protocol and mean harm: none of it costs the server more than its
//! bounds, and the next one is served.

mod common;

use common::{DEADLINE, Raw, frame, serve, serve_echo, serve_senders, wait_until};
use greenwire_websocket::{Config, Error, Prepared, Sender, broadcast};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, mpsc};

#[test]
fn one_byte_at_a_time() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    for byte in [frame(0x01, b"h\xc3"), frame(0x80, b"\xa4!")].concat() {
        raw.write(&[byte]);
    }
    assert_eq!(raw.read_frame(), (1, "hä!".into()));
}

#[test]
fn a_gibibyte_is_refused_on_its_header() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    let header = [
        &[0x82, 0xff][..],
        &(1u64 << 30).to_be_bytes(),
        &[1, 2, 3, 4],
    ];
    raw.write(&header.concat());
    assert_eq!(raw.read_close(), 1009);
}

#[test]
fn a_message_in_ten_thousand_fragments() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    let mut bytes = frame(0x02, b"x");
    for _ in 0..10_000 {
        bytes.extend(frame(0x00, b""));
        bytes.extend(frame(0x00, b"x"));
    }
    bytes.extend(frame(0x80, b""));
    raw.write(&bytes);
    assert_eq!(raw.read_frame(), (2, vec![b'x'; 10_001]));
}

/// Pongs that do not fit into the queue are left out: the peer has enough to read.
#[test]
fn a_flood_of_pings_whose_answers_nobody_reads() {
    const BOUND: usize = 50_000;
    let (addr, senders) = serve_senders(Config::default().max_queued(BOUND));
    let mut raw = Raw::connect(addr);
    let sender = senders.recv_timeout(DEADLINE).unwrap();
    let pings = frame(0x89, &[b'?'; 125]).repeat(1000);
    for _ in 0..300 {
        raw.write(&pings);
        assert!(sender.queued() <= BOUND + 128 + 64 * 1024);
    }
    wait_until(|| sender.queued() >= BOUND);
    let mut other = Raw::connect(addr);
    other.write(&frame(0x89, b"me"));
    assert_eq!(other.read_frame(), (10, b"me".to_vec()));
}

#[test]
fn some_close_while_all_are_sent_to() {
    const MANY: usize = 100;
    let (addr, senders) = serve_senders(Config::default());
    let mut clients: Vec<_> = (0..MANY).map(|_| Raw::connect(addr)).collect();
    let next = |_| senders.recv_timeout(DEADLINE).unwrap();
    let senders: Vec<Sender> = (0..MANY).map(next).collect();
    let news = Prepared::new("news");
    for (index, client) in clients.iter_mut().enumerate() {
        match index % 4 {
            0 => client.write(&frame(0x88, &1000u16.to_be_bytes())),
            1 => client.0.shutdown(Shutdown::Both).unwrap(),
            _ => {}
        }
        broadcast(&senders, &news);
    }
    wait_until(|| broadcast(&senders, &news) == MANY / 2);
    for client in clients.iter_mut().skip(2).step_by(4) {
        for _ in 0..MANY {
            assert_eq!(client.read_frame(), (1, b"news".to_vec()));
        }
    }
}

/// It is not a close, and a peer that sends nothing any more cannot answer one.
#[test]
fn half_a_connection_is_none() {
    let (tell, told) = mpsc::channel();
    let tell = Arc::new(Mutex::new(tell));
    let addr = serve(Config::default(), move |mut ws| {
        let end = ws.receive();
        let lost = matches!(&end, Err(Error::Io(_)));
        tell.lock().unwrap().send(lost).unwrap();
        end.map(|_| ())
    });
    let mut raw = Raw::connect(addr);
    raw.write(&frame(0x01, b"half a mess"));
    raw.0.shutdown(Shutdown::Write).unwrap();
    assert!(told.recv_timeout(DEADLINE).unwrap());
}
