//! The decoder against tables of bytes, against every cut of them, and against random streams.

use super::super::deflate::Deflater;
use super::super::frame::{self, First};
use super::*;

const LIMITS: Limits = Limits {
    frame: 1000,
    message: 2000,
};

/// Feeds `bytes` in pieces of `size` and writes down what comes out, up to the first violation.
fn feed(role: Role, bytes: &[u8], size: usize) -> Vec<String> {
    let mut decoder = Decoder::new(role, LIMITS, None);
    decode(&mut decoder, bytes, size.max(1))
}

/// The same with a decoder that may have decoded before.
fn decode(decoder: &mut Decoder, bytes: &[u8], size: usize) -> Vec<String> {
    let mut seen = Vec::new();
    for piece in bytes.chunks(size) {
        let (mut piece, mut at) = (piece.to_vec(), 0);
        while at < piece.len() {
            let event = decoder.decode(&mut piece[at..]).and_then(|(used, event)| {
                at += used;
                event
                    .map(|event| describe(event, &piece[..at], decoder))
                    .transpose()
            });
            match event {
                Ok(event) => seen.extend(event),
                Err(violation) => {
                    seen.push(format!("{} {violation}", violation.close_code()));
                    return seen;
                }
            }
        }
    }
    seen
}

fn describe(event: Event, consumed: &[u8], decoder: &Decoder) -> Result<String, Violation> {
    Ok(match event {
        Event::Message(message) => match message.lend(consumed)? {
            MessageRef::Text(text) => format!("text {text}"),
            MessageRef::Binary(bytes) => format!("binary {bytes:?}"),
        },
        Event::Ping => format!("ping {}", String::from_utf8_lossy(decoder.ping_payload())),
        Event::Pong => "pong".to_owned(),
        Event::Close(reason) => format!("close {} {}", reason.code(), reason.reason()),
    })
}

/// What a client decodes from `bytes`, whole and cut at every distance.
#[track_caller]
fn check(bytes: &[u8], expected: &[&str]) {
    for size in 1..=bytes.len() {
        assert_eq!(
            feed(Role::Client, bytes, size),
            expected,
            "in pieces of {size}"
        );
    }
}

#[test]
fn messages() {
    check(b"\x81\x05hello", &["text hello"]);
    check(b"\x82\x02\x01\x02", &["binary [1, 2]"]);
    check(b"\x81\x00\x82\x00", &["text ", "binary []"]);
    check(b"\x81\x01a\x81\x01b", &["text a", "text b"]);
}

#[test]
fn fragments_are_joined_around_control_frames() {
    check(
        b"\x01\x02he\x89\x01!\x00\x00\x80\x03llo",
        &["ping !", "text hello"],
    );
    check(b"\x02\x00\x80\x00", &["binary []"]);
    check(b"\x01\x01\xc3\x8a\x00\x80\x01\xa4", &["pong", "text ä"]);
}

#[test]
fn closes() {
    check(b"\x88\x00", &["close 1005 "]);
    check(b"\x88\x05\x03\xe8bye", &["close 1000 bye"]);
    check(b"\x01\x01a\x88\x02\x03\xe8", &["close 1000 "]);
    check(b"\x88\x01a", &["1002 invalid close frame"]);
    check(b"\x88\x02\x03\xed", &["1002 invalid close frame"]);
    check(b"\x88\x03\x03\xe8\xff", &["1007 invalid utf-8"]);
}

#[test]
fn violations_come_after_the_good_messages() {
    check(b"\x81\x01a\xc1\x00", &["text a", "1002 reserved bit set"]);
    check(b"\x81\x01a\x8b\x00", &["text a", "1002 reserved opcode 11"]);
    check(b"\x09\x00", &["1002 fragmented control frame"]);
    check(b"\x89\x7e\x00\x7e", &["1002 control frame over 125 bytes"]);
    check(b"\x80\x00", &["1002 continuation of nothing"]);
    check(
        b"\x01\x00\x81\x00",
        &["1002 new message inside an unfinished one"],
    );
    check(b"\x81\x80", &["1002 masked frame from a server"]);
    check(b"\x82\x7e\x00\x01", &["1002 badly encoded length"]);
}

#[test]
fn text_must_be_utf8() {
    check(b"\x81\x02\xc3\xa4", &["text ä"]);
    check(b"\x81\x01\xc3", &["1007 invalid utf-8"]);
    check(b"\x01\x01\xc3\x80\x01a", &["1007 invalid utf-8"]);
    check(b"\x82\x01\xff", &["binary [255]"]);
}

#[test]
fn bad_text_is_refused_before_its_frame_is_complete() {
    check(b"\x81\x7d\xf4\x90", &["1007 invalid utf-8"]);
    check(b"\x01\x02ab\x80\x7d\xff", &["1007 invalid utf-8"]);
}

#[test]
fn limits_are_checked_on_the_header() {
    check(b"\x82\x7e\x03\xe9", &["1009 longer than 1000 bytes"]);
    check(
        b"\x82\x7f\0\0\0\x7f\0\0\0\0",
        &["1009 longer than 1000 bytes"],
    );
    let mut bytes = Vec::new();
    for first in [0x02, 0x00, 0x00] {
        bytes.extend([first, 0x7e, 0x03, 0x20]);
        bytes.resize(bytes.len() + 800, 7);
    }
    assert_eq!(
        feed(Role::Client, &bytes, 64),
        ["1009 longer than 2000 bytes"]
    );
}

#[test]
fn a_server_unmasks_and_insists_on_it() {
    let bytes = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for size in 1..=bytes.len() {
        assert_eq!(feed(Role::Server, bytes, size), ["text Hello"]);
    }
    assert_eq!(
        feed(Role::Server, b"\x81\x00", 1),
        ["1002 unmasked frame from a client"]
    );
}

#[test]
fn whole_frames_are_seen_before_they_are_decoded() {
    let decoder = Decoder::new(Role::Client, LIMITS, None);
    for (bytes, whole) in [
        (&b""[..], false),
        (b"\x81", false),
        (b"\x81\x02a", false),
        (b"\x81\x02ab", true),
        (b"\x81\x00\x81", true),
        (b"\xc1", true),
    ] {
        assert_eq!(decoder.has_whole_frame(bytes), whole, "{bytes:x?}");
    }
}

/// A decoder that was agreed to inflate.
fn inflating(takeover: bool) -> Decoder {
    let bits = 15;
    Decoder::new(Role::Client, LIMITS, Some(Window { bits, takeover }))
}

#[test]
fn compressed_messages_in_any_fragments_and_pieces() {
    // RFC 7692 §7.2.3.1 and §7.2.3.2: "Hello" whole, in two fragments, and out of the context.
    let bytes = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x41\x03\xf2\x48\xcd\x89\x01!\
        \x80\x04\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00\x81\x02as";
    for size in 1..=bytes.len() {
        let seen = decode(&mut inflating(true), bytes, size);
        let expected = [
            "text Hello",
            "ping !",
            "text Hello",
            "text Hello",
            "text as",
        ];
        assert_eq!(seen, expected, "in pieces of {size}");
    }
}

#[test]
fn compressed_text_is_checked_and_limited() {
    let deflated = |message: &[u8]| {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        let (bits, takeover) = (15, false);
        Deflater::new(Window { bits, takeover }, 6).deflate(message, &mut payload);
        let first = First {
            compressed: true,
            ..First::whole(Opcode::Text)
        };
        frame::encode(&mut bytes, first, &payload, None);
        bytes
    };
    let check = |message: &[u8], expected: &str| {
        for size in [1, 1000] {
            let seen = decode(&mut inflating(false), &deflated(message), size);
            assert_eq!(seen, [expected], "in pieces of {size}");
        }
    };
    check("ä".as_bytes(), "text ä");
    check(b"\xc3\xa4\xc3", "1007 invalid utf-8");
    check(b"\xff", "1007 invalid utf-8");
    let longest = "a".repeat(2000);
    check(longest.as_bytes(), &format!("text {longest}"));
    check("a".repeat(2001).as_bytes(), "1009 longer than 2000 bytes");
    check(&[b'a'; 1 << 21], "1009 longer than 1000 bytes");
    check(&[b'a'; 1 << 17], "1009 longer than 2000 bytes");
    assert_eq!(
        decode(&mut inflating(true), b"\xc1\x02\xff\xff", 4),
        ["1007 invalid compressed data"]
    );
}

#[test]
fn messages_come_in_pieces_if_asked_for() {
    let mut decoder = Decoder::new(Role::Client, LIMITS, None);
    decoder.read_in_pieces();
    let mut bytes = b"\x02\x7e\x27\x10".to_vec();
    bytes.resize(4 + 10_000, 7);
    let mut got = 0;
    for piece in bytes.chunks_mut(64) {
        assert_eq!(decoder.decode(piece), Ok((piece.len(), None)));
        assert_eq!(decoder.arriving(), Some(Kind::Binary));
        got += decoder.take_piece().len();
    }
    assert_eq!(got, 10_000);
    let event = decoder
        .decode(&mut b"\x80\x01\x07\x82\x7e".to_owned())
        .unwrap();
    let message = Arrived::Joined(Message::Binary(vec![7]));
    assert_eq!(event, (3, Some(Event::Message(message))));
    // The limits hold again.
    let refused = decoder.decode(&mut b"\x82\x7e\x27\x10".to_owned());
    assert_eq!(refused, Err(Violation::TooBig { limit: 1000 }));
}

/// xorshift64: the same stream on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Writes `message` in random fragments with random masks, pings between them.
fn write_fragments(random: &mut Random, message: &Message, out: &mut Vec<u8>) {
    let (mut opcode, mut rest) = match message {
        Message::Text(text) => (Opcode::Text, text.as_bytes()),
        Message::Binary(bytes) => (Opcode::Binary, bytes.as_slice()),
    };
    loop {
        let (piece, after) = rest.split_at(random.below(rest.len() + 1));
        let last = after.is_empty() && random.below(2) == 0;
        let key = Some((random.below(1 << 32) as u32).to_ne_bytes());
        let start = out.len();
        frame::encode(out, First::whole(opcode), piece, key);
        out[start] &= if last { 0xff } else { 0x7f };
        if last {
            return;
        }
        if random.below(3) == 0 {
            frame::encode(out, First::whole(Opcode::Ping), b"?", Some([1, 2, 3, 4]));
        }
        (opcode, rest) = (Opcode::Continuation, after);
    }
}

fn random_message(random: &mut Random) -> Message {
    let bound = [2, 130, 600][random.below(3)];
    let len = random.below(bound);
    if random.below(2) == 0 {
        Message::Binary((0..len).map(|_| random.below(256) as u8).collect())
    } else {
        Message::Text(
            (0..len / 3)
                .map(|_| ['a', 'ä', '漢', 'z'][random.below(4)])
                .collect(),
        )
    }
}

#[test]
fn random_fragments_in_random_chunks_give_exactly_the_messages() {
    let random = &mut Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..50 {
        let sent: Vec<Message> = (0..20).map(|_| random_message(random)).collect();
        let mut bytes = Vec::new();
        sent.iter()
            .for_each(|message| write_fragments(random, message, &mut bytes));

        let mut decoder = Decoder::new(Role::Server, LIMITS, None);
        let (mut got, mut rest) = (Vec::new(), bytes.as_mut_slice());
        while !rest.is_empty() {
            let (mut chunk, after) = rest.split_at_mut(1 + random.below(rest.len().min(300)));
            while !chunk.is_empty() {
                let (used, event) = decoder.decode(chunk).expect("the stream is valid");
                if let Some(Event::Message(message)) = event {
                    got.push(message.take(&chunk[..used]).expect("it is valid"));
                }
                chunk = &mut chunk[used..];
            }
            rest = after;
        }
        assert_eq!(got, sent);
    }
}
