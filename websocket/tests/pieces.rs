//! Messages that are sent and received in pieces.

mod common;

use common::{DEADLINE, Raw, expect, frame, serve, serve_echo, wait_until};
use greenwire_runtime::thread;
use greenwire_websocket::{Compression, Config, Error, Kind, Message, WebSocket};
use std::io::{self, Read, Write};
use std::sync::mpsc;

/// A server that sends back what it reads in pieces, in pieces.
fn pass_on(mut ws: WebSocket) -> Result<(), Error> {
    let sender = ws.sender();
    while let Some(mut message) = ws.reader()? {
        let mut writer = sender.writer(message.kind())?;
        io::copy(&mut message, &mut writer)?;
        writer.finish()?;
    }
    Ok(())
}

#[test]
fn long_messages_pass_in_pieces() {
    // Far beyond the limits, which are for messages that are kept whole.
    let config = Config::default().max_message_size(100).max_frame_size(100);
    let addr = serve(config, pass_on);
    let compressing = Config::default().compression(Compression::dedicated());
    for client in [Config::default(), compressing] {
        let mut ws = client.connect(&format!("ws://{addr}/")).unwrap();
        for len in [0, 1, 100, 16 * 1024, 3 << 20] {
            let bytes: Vec<u8> = (0..len as u32)
                .map(|i| (i.wrapping_mul(i) >> 5) as u8)
                .collect();
            ws.send(&bytes).unwrap();
            assert_eq!(expect(&mut ws), Message::Binary(bytes));
            let text = "ä漢z".repeat(len / 6);
            ws.send(&text).unwrap();
            assert_eq!(expect(&mut ws), Message::Text(text));
        }
    }
}

#[test]
fn a_compressed_message_is_read_in_pieces_however_long_it_becomes() {
    const LEN: usize = 64 << 20;
    let config = Config::default()
        .max_message_size(100)
        .compression(Compression::shared());
    let (tell, told) = mpsc::channel();
    let addr = serve(config, move |mut ws| {
        let mut message = ws.reader()?.expect("a message");
        let (mut len, mut longest, mut buf) = (0, 0, vec![0; 1 << 20]);
        while let n @ 1.. = message.read(&mut buf)? {
            (len, longest) = (len + n, longest.max(n));
        }
        tell.send((len, longest)).unwrap();
        Ok(())
    });
    let client = Config::default().compression(Compression::shared());
    let ws = client.connect(&format!("ws://{addr}/")).unwrap();
    ws.send(vec![0; LEN]).unwrap();
    let (len, longest) = told.recv_timeout(DEADLINE).unwrap();
    assert_eq!(len, LEN);
    assert!(longest < 1 << 20, "{longest} bytes were in memory at once");
}

#[test]
fn what_is_not_read_of_a_message_is_skipped() {
    let addr = serve(Config::default(), |mut ws| {
        let mut message = ws.reader()?.expect("a message");
        let mut start = [0; 2];
        message.read_exact(&mut start)?;
        drop(message);
        ws.send(start.as_slice())?;
        pass_on(ws)
    });
    let mut raw = Raw::connect(addr);
    raw.write(&[frame(0x01, b"abc"), frame(0x00, b"def")].concat());
    assert_eq!(raw.read_frame(), (2, b"ab".to_vec()));
    raw.write(&[frame(0x80, b"g"), frame(0x81, b"next")].concat());
    assert_eq!(raw.read_frame(), (1, b"next".to_vec()));
    raw.write(&frame(0x88, b"\x03\xe8"));
    assert_eq!(raw.read_close(), 1000);
}

#[test]
fn pieces_leave_when_they_are_flushed_and_others_wait_for_the_end() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |mut ws| {
        let mut writer = ws.writer(Kind::Text)?;
        let other = ws.sender();
        thread::spawn(move || other.send("after it"));
        writer.write_all("ä".as_bytes().split_at(1).0)?;
        writer.write_all("ä".as_bytes().split_at(1).1)?;
        writer.flush()?;
        ws.ping(b"between")?;
        assert_eq!(expect(&mut ws).as_text(), Some("go on"));
        writer.write_all(b"b")?;
        writer.finish()?;
        tell.send(()).unwrap();
        while ws.receive()?.is_some() {}
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    assert_eq!(raw.read_any_frame(), (0x01, "ä".as_bytes().to_vec()));
    assert_eq!(raw.read_any_frame(), (0x89, b"between".to_vec()));
    raw.write(&frame(0x81, b"go on"));
    assert_eq!(raw.read_any_frame(), (0x80, b"b".to_vec()));
    assert_eq!(raw.read_any_frame(), (0x81, b"after it".to_vec()));
    told.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn a_message_that_is_not_finished_closes_the_connection() {
    let addr = serve(Config::default(), |ws| {
        let mut writer = ws.writer(Kind::Binary)?;
        writer.write_all(b"half of it")?;
        writer.flush()?;
        Err(io::Error::other("the other half is lost").into())
    });
    let mut raw = Raw::connect(addr);
    assert_eq!(raw.read_any_frame(), (0x02, b"half of it".to_vec()));
    assert_eq!(raw.read_close(), 1011);
}

#[test]
fn text_in_pieces_has_to_be_utf8() {
    let ws = common::connect(serve_echo(Config::default()));
    let mut writer = ws.writer(Kind::Text).unwrap();
    let refused = writer.write_all(b"a\xff").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    drop(writer);
    assert!(ws.is_closed());

    let ws = common::connect(serve_echo(Config::default()));
    let mut writer = ws.writer(Kind::Text).unwrap();
    writer.write_all(b"a\xc3").unwrap();
    assert!(matches!(writer.finish(), Err(Error::Io(_))));
    wait_until(|| ws.is_closed());
}

#[test]
fn a_message_cut_short_is_not_taken_for_a_whole_one() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |mut ws| {
        let sender = ws.sender();
        let mut message = ws.reader()?.expect("a message");
        sender.send("begun")?;
        let mut text = String::new();
        let error = message.read_to_string(&mut text).unwrap_err();
        drop(message);
        tell.send((
            error.kind(),
            ws.receive()?,
            ws.close_reason().map(|r| r.code()),
        ))
        .unwrap();
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    raw.write(&frame(0x01, b"half"));
    assert_eq!(raw.read_frame(), (1, b"begun".to_vec()));
    raw.write(&frame(0x88, b"\x03\xe9"));
    assert_eq!(raw.read_close(), 1001);
    drop(raw);
    let told = told.recv_timeout(DEADLINE).unwrap();
    assert_eq!(told, (io::ErrorKind::UnexpectedEof, None, Some(1001)));
}
