//! permessage-deflate on the wire: what is agreed on, what is compressed, what is refused.

mod common;

use common::{DEADLINE, Raw, connect, expect, frame, serve, serve_echo};
use greenwire_runtime::thread;
use greenwire_websocket::{Compression, Config, Message, Prepared, SlowReader, broadcast};
use std::net::SocketAddr;
use std::sync::mpsc;

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
/// "Hello", compressed for itself (RFC 7692 §7.2.3.1).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

fn configs() -> Vec<Config> {
    let config = |compression: Compression| Config::default().compression(compression.threshold(1));
    vec![
        config(Compression::shared()),
        config(Compression::dedicated()),
        config(Compression::dedicated().level(1).window_bits(9, 10)),
        config(Compression::shared().level(9).window_bits(12, 9)),
    ]
}

/// The header that answers `lines`.
fn answer(config: Config, lines: &str) -> Option<String> {
    let (_, head) = Raw::connect_with(serve_echo(config), lines);
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"));
    found.map(|(_, value)| value.to_owned())
}

#[test]
fn servers_answer() {
    let on = |compression| Config::default().compression(compression);
    assert_eq!(answer(Config::default(), DEFLATE), None);
    assert_eq!(answer(on(Compression::shared()), ""), None);
    assert_eq!(
        answer(on(Compression::dedicated()), DEFLATE).as_deref(),
        Some("permessage-deflate")
    );
    assert_eq!(
        answer(on(Compression::shared()), DEFLATE).as_deref(),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
}

#[test]
fn both_ends_of_every_kind_understand_each_other() {
    for server in configs() {
        let addr = serve_echo(server);
        for client in configs() {
            let mut ws = client.connect(&format!("ws://{addr}/")).unwrap();
            for len in [0u32, 1, 5, 126, 3000, 70_000, 5] {
                let text: String = (0..len)
                    .map(|i| char::from(b'a' + (i % 40_000 * 31 % 23) as u8))
                    .collect();
                ws.send(&text).unwrap();
                assert_eq!(expect(&mut ws), Message::Text(text));
                let bytes: Vec<u8> = (0..len).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
                ws.send(&bytes).unwrap();
                assert_eq!(expect(&mut ws), Message::Binary(bytes));
            }
        }
    }
}

#[test]
fn contexts_last_if_both_sides_keep_them() {
    let lens = |config: Config| {
        let (mut raw, _) = Raw::connect_with(serve_echo(config), DEFLATE);
        [(); 2].map(|()| {
            raw.write(&frame(0xc1, HELLO));
            let (first, payload) = raw.read_any_frame();
            assert_eq!(first, 0xc1);
            payload.len()
        })
    };
    let on = |compression: Compression| Config::default().compression(compression.threshold(1));
    // The echo of the second message is a reference to the first.
    assert_eq!(lens(on(Compression::dedicated())), [HELLO.len(), 5]);
    assert_eq!(lens(on(Compression::shared())), [HELLO.len(); 2]);
    // What may be dropped must not be referred to.
    let dropping = on(Compression::dedicated()).slow_reader(SlowReader::DropOldest);
    assert_eq!(lens(dropping), [HELLO.len(); 2]);
}

#[test]
fn short_messages_and_control_frames_are_left_alone() {
    let config = Config::default().compression(Compression::shared().threshold(6));
    let (mut raw, _) = Raw::connect_with(serve_echo(config), DEFLATE);
    raw.write(&frame(0xc1, HELLO));
    assert_eq!(raw.read_any_frame(), (0x81, b"Hello".to_vec()));
    raw.write(&frame(0x89, b"a ping longer than that"));
    assert_eq!(
        raw.read_any_frame(),
        (0x8a, b"a ping longer than that".to_vec())
    );
}

#[test]
fn compressed_frames_are_refused_unless_agreed_on() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    raw.write(&frame(0xc1, HELLO));
    assert_eq!(raw.read_close(), 1002);
}

/// A server that takes a mebibyte, and what it says when it refuses a message.
fn serve_small(compression: Compression) -> (SocketAddr, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let config = Config::default()
        .max_message_size(1 << 20)
        .compression(compression);
    let addr = serve(config, move |mut ws| {
        loop {
            match ws.receive() {
                Ok(Some(message)) => ws.send(message)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tell.send(error.to_string()).unwrap();
                    return Err(error);
                }
            }
        }
    });
    (addr, told)
}

fn assert_too_long(told: &mpsc::Receiver<String>) {
    let told = told.recv_timeout(DEADLINE).unwrap();
    assert!(told.contains("longer than 1048576 bytes"), "{told}");
}

/// With contexts that last, a bomb may come after messages that were harmless.
#[test]
fn bombs_and_nonsense_are_refused() {
    for compression in [Compression::shared(), Compression::dedicated()] {
        let (addr, told) = serve_small(compression);
        let client = Config::default().compression(compression);
        let mut ws = client.connect(&format!("ws://{addr}/")).unwrap();
        for _ in 0..3 {
            ws.send(vec![0; 1 << 20]).unwrap();
            assert_eq!(expect(&mut ws).len(), 1 << 20);
        }
        ws.send(vec![0; (1 << 20) + 1]).unwrap();
        assert_eq!(ws.receive().unwrap(), None);
        assert_eq!(ws.close_reason().map(|reason| reason.code()), Some(1009));
        assert_too_long(&told);

        let (mut raw, _) = Raw::connect_with(addr, DEFLATE);
        raw.write(&frame(0xc1, b"\xff\xff"));
        assert_eq!(raw.read_close(), 1007);
    }
}

/// Each fragment alone, and all of them compressed, are far below the limit.
#[test]
fn a_bomb_in_fragments_is_refused() {
    let (addr, told) = serve_small(Compression::dedicated());
    let (mut raw, _) = Raw::connect_with(addr, DEFLATE);
    let mut zlib = flate2::Compress::new(flate2::Compression::best(), false);
    let mut bomb = Vec::with_capacity(100_000);
    zlib.compress_vec(&vec![0; 4 << 20], &mut bomb, flate2::FlushCompress::Sync)
        .unwrap();
    let mut fragments = bomb.chunks(100);
    raw.write(&frame(0x42, fragments.next().unwrap()));
    // The server may refuse it before all of them are sent.
    let rest: Vec<u8> = fragments.flat_map(|bytes| frame(0x00, bytes)).collect();
    raw.write(&rest);
    assert_eq!(raw.read_close(), 1009);
    assert_too_long(&told);
}

#[test]
fn prepared_messages_fit_every_connection() {
    let (tell, told) = mpsc::sync_channel(10);
    let mut clients: Vec<_> = configs()
        .into_iter()
        .chain([Config::default()])
        .map(|config| {
            let tell = tell.clone();
            let addr = serve(config.clone(), move |mut ws| {
                tell.send(ws.sender()).unwrap();
                while let Some(message) = ws.receive()? {
                    ws.send(message)?;
                }
                Ok(())
            });
            config.connect(&format!("ws://{addr}/")).unwrap()
        })
        .collect();
    let senders: Vec<_> = clients
        .iter()
        .map(|_| told.recv_timeout(DEADLINE).unwrap())
        .collect();
    let text = "the same for everybody, ".repeat(100);
    let prepared = Prepared::new(&text);
    for _ in 0..2 {
        thread::spawn({
            let (senders, prepared) = (senders.clone(), prepared.clone());
            move || assert_eq!(broadcast(&senders, &prepared), senders.len())
        })
        .join()
        .unwrap();
        for ws in &mut clients {
            assert_eq!(expect(ws).as_text(), Some(text.as_str()));
            // The contexts are still those of the peer.
            ws.send(&text[7..]).unwrap();
            assert_eq!(expect(ws).as_text(), Some(&text[7..]));
            ws.send(&prepared).unwrap();
            assert_eq!(expect(ws).as_text(), Some(text.as_str()));
        }
    }
}

#[test]
fn a_client_that_offers_compression_talks_to_a_server_without() {
    let addr = serve_echo(Config::default());
    let client = Config::default().compression(Compression::dedicated().threshold(1));
    let mut ws = client.connect(&format!("ws://{addr}/")).unwrap();
    ws.send("plain").unwrap();
    assert_eq!(expect(&mut ws).as_text(), Some("plain"));
    drop(connect(addr));
}
