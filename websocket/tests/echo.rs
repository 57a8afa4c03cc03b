//! What is sent comes back: all lengths, fragments, pings in between, every cut of the bytes.

mod common;

use common::{Raw, connect, expect, frame, serve_echo};
use greenwire_websocket::{Config, Message, code};

#[test]
fn every_kind_of_length() {
    let mut ws = connect(serve_echo(Config::default()));
    for len in [0, 1, 125, 126, 127, 4096, 65535, 65536, 65537, 1 << 20] {
        let bytes: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
        ws.send(bytes.as_slice()).unwrap();
        assert_eq!(expect(&mut ws), Message::Binary(bytes));
        let text = "x".repeat(len);
        ws.send(&text).unwrap();
        assert_eq!(expect(&mut ws).as_text(), Some(text.as_str()));
        ws.send(text.clone()).unwrap();
        assert_eq!(expect(&mut ws).into_text(), Ok(text));
    }
    ws.close(code::NORMAL, "done").unwrap();
    assert_eq!(ws.receive().unwrap(), None);
    assert_eq!(
        ws.close_reason().map(|reason| reason.code()),
        Some(code::NORMAL)
    );
}

#[test]
fn long_and_short_messages_that_came_together_come_back_in_order() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    let lens = [3, 5000, 4096, 0, 70_000, 10, 20_000];
    let payload = |len: usize| vec![len as u8; len];
    let frames: Vec<Vec<u8>> = lens.map(|len| frame(0x82, &payload(len))).into();
    raw.write(&frames.concat());
    for len in lens {
        assert_eq!(raw.read_frame(), (2, payload(len)), "{len} bytes");
    }
}

#[test]
fn a_ping_between_fragments_is_answered_first() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    raw.write(&[frame(0x01, b"he"), frame(0x89, b"now"), frame(0x80, b"llo")].concat());
    assert_eq!(raw.read_frame(), (10, b"now".to_vec()));
    assert_eq!(raw.read_frame(), (1, b"hello".to_vec()));
}

#[test]
fn bytes_cut_anywhere_mean_the_same() {
    let addr = serve_echo(Config::default());
    let bytes = [
        frame(0x81, "grün".as_bytes()),
        frame(0x02, &[1; 130]),
        frame(0x8a, b"unasked"),
        frame(0x80, &[2; 10]),
        frame(0x88, &1001u16.to_be_bytes()),
    ]
    .concat();
    for cut in 0..=bytes.len() {
        let mut raw = Raw::connect(addr);
        raw.write(&bytes[..cut]);
        // Lets the first part be read alone: often enough, over all the cuts.
        std::thread::yield_now();
        raw.write(&bytes[cut..]);
        assert_eq!(raw.read_frame(), (1, "grün".into()), "cut at {cut}");
        assert_eq!(raw.read_frame().1.len(), 140, "cut at {cut}");
        assert_eq!(raw.read_close(), 1001, "cut at {cut}");
    }
}
