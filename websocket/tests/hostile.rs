//! Peers that keep to the letter of the protocol and mean harm: none of it costs the server more than its
//! bounds, and the next one is served.

mod common;

use common::{
    DEADLINE, Raw, frame, read_head, request, serve, serve_echo, serve_senders, wait_until,
};
use greenwire_websocket::{Config, Error, Prepared, Sender, broadcast};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

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
    // The kernel may find more room for what has left already.
    wait_until(|| {
        raw.write(&pings);
        sender.queued() >= BOUND
    });
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

/// What follows the head would otherwise be taken for frames.
#[test]
fn an_upgrade_with_a_body_is_refused() {
    let addr = serve_echo(Config::default());
    for body in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = request(addr, "");
        let head = head.strip_suffix("\r\n").unwrap();
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        let answer = read_head(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?}: {answer}");
    }
    let mut raw = Raw::connect(addr);
    raw.write(&frame(0x81, b"next"));
    assert_eq!(raw.read_frame(), (1, b"next".to_vec()));
}

/// Whatever was taken before the close arrives whole, nothing after it, and no sender is left waiting.
#[test]
fn four_os_threads_send_while_the_receiver_closes() {
    const SENDERS: usize = 4;
    let (addr, senders) = serve_senders(Config::default().max_queued(10_000));
    let mut raw = Raw::connect(addr);
    let sender = senders.recv_timeout(DEADLINE).unwrap();
    let (tell, told) = mpsc::channel();
    for id in 0..SENDERS as u8 {
        let (sender, tell) = (sender.clone(), tell.clone());
        thread::spawn(move || {
            let end = loop {
                if let Err(error) = sender.send(&[id; 300]) {
                    break error;
                }
            };
            tell.send(end).unwrap();
        });
    }
    for _ in 0..1000 {
        let (opcode, payload) = raw.read_frame();
        assert_eq!((opcode, payload.len()), (2, 300));
        assert!(payload.iter().all(|byte| *byte == payload[0]), "mixed");
    }
    raw.write(&frame(0x88, &4000u16.to_be_bytes()));
    let close = loop {
        match raw.read_frame() {
            (2, payload) => assert_eq!(payload.len(), 300),
            (opcode, payload) => break (opcode, payload),
        }
    };
    assert_eq!(close, (8, 4000u16.to_be_bytes().to_vec()));
    for _ in 0..SENDERS {
        let end = told.recv_timeout(DEADLINE).unwrap();
        assert!(matches!(end, Error::Closed), "{end}");
    }
}
