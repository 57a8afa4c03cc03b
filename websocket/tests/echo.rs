//! What is sent comes back: all lengths, fragments, pings in between, every cut of the bytes.

mod common;

use common::{DEADLINE, Raw, connect, expect, frame, serve, serve_echo};
use greenwire_websocket::{Config, Error, Message, MessageRef, WebSocket, code};
use std::sync::mpsc;

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

fn echo_lent(ws: WebSocket) -> Result<(), Error> {
    let (sender, mut receiver) = ws.split();
    while let Some(message) = receiver.receive_ref()? {
        sender.send(message)?;
    }
    Ok(())
}

#[test]
fn lent_messages_are_the_same() {
    let mut raw = Raw::connect(serve(Config::default(), echo_lent));
    let text = "grün".repeat(3);
    let long = vec![7; 200_000];
    raw.write(
        &[
            frame(0x81, text.as_bytes()),
            frame(0x82, b""),
            frame(0x02, &[1, 2]),
            frame(0x89, b"now"),
            frame(0x80, &[3]),
            frame(0x82, &long),
            frame(0x82, &[8; 20_000]),
            frame(0x81, b"end"),
        ]
        .concat(),
    );
    assert_eq!(raw.read_frame(), (1, text.into()));
    assert_eq!(raw.read_frame(), (2, vec![]));
    assert_eq!(raw.read_frame(), (10, b"now".to_vec()));
    assert_eq!(raw.read_frame(), (2, vec![1, 2, 3]));
    assert_eq!(raw.read_frame(), (2, long));
    assert_eq!(raw.read_frame(), (2, vec![8; 20_000]));
    assert_eq!(raw.read_frame(), (1, b"end".to_vec()));
    raw.write(&frame(0x88, &1001u16.to_be_bytes()));
    assert_eq!(raw.read_close(), 1001);
}

#[test]
fn text_that_is_none_is_not_lent() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |ws| {
        let (_sender, mut receiver) = ws.split();
        for _ in 0..4 {
            let seen = match receiver.receive_ref() {
                Ok(Some(MessageRef::Text(text))) => text.to_owned(),
                Err(Error::Protocol(violation)) => violation.to_string(),
                Err(Error::Closed) => "closed".to_owned(),
                other => format!("{other:?}"),
            };
            tell.send(seen).unwrap();
        }
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    raw.write(
        &[
            frame(0x81, b"good"),
            frame(0x81, b"b\xffd"),
            frame(0x81, b"after"),
        ]
        .concat(),
    );
    assert_eq!(raw.read_close(), 1007);
    drop(raw);
    for expected in ["good", "invalid utf-8", "closed", "closed"] {
        assert_eq!(told.recv_timeout(DEADLINE).unwrap(), expected);
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
