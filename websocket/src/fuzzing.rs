//! What the targets in `fuzz/` call: properties of the protocol core, for any input. Compiled for them
//! only (`--cfg fuzzing`), and with the tests, which try each with a few inputs.

use crate::Compression;
use crate::protocol::Role;
use crate::protocol::decoder::{Decoder, Event, Limits};
use crate::protocol::deflate::{Deflater, Window};
use crate::protocol::extension;
use crate::protocol::frame::{self, First, Opcode};
use crate::protocol::violation::Violation;

const LIMITS: Limits = Limits {
    frame: 5000,
    message: 9000,
};

/// Whatever the bytes, they come out the same in one piece and in many, and within the limits.
pub fn decode(bytes: &[u8]) {
    let Some((options, bytes)) = bytes.split_first() else {
        return;
    };
    let cut = usize::from(options >> 4) + 1;
    let decoder = || {
        let role = if options & 1 == 0 {
            Role::Server
        } else {
            Role::Client
        };
        let window = Window {
            bits: 15,
            takeover: options & 4 == 0,
        };
        Decoder::new(role, LIMITS, (options & 2 != 0).then_some(window))
    };
    let whole = events(decoder(), bytes, bytes.len().max(1));
    let pieces = events(decoder(), bytes, cut);
    assert_eq!(whole, pieces, "in pieces of {cut}");
}

/// All that comes out, up to the first violation, as text.
fn events(mut decoder: Decoder, bytes: &[u8], cut: usize) -> Vec<String> {
    let mut events = Vec::new();
    for piece in bytes.chunks(cut) {
        let (mut piece, mut at) = (piece.to_vec(), 0);
        while at < piece.len() {
            let event = decoder.decode(&mut piece[at..]).and_then(|(used, event)| {
                at += used;
                event
                    .map(|event| describe(event, &piece[..at], &decoder))
                    .transpose()
            });
            match event {
                Ok(event) => events.extend(event),
                Err(_) => {
                    // Which one may depend on the cut: text can be too long, and bad as well.
                    events.push("violation".to_owned());
                    return events;
                }
            }
        }
    }
    events
}

fn describe(event: Event, consumed: &[u8], decoder: &Decoder) -> Result<String, Violation> {
    if let Event::Message(message) = event {
        let message = message.take(consumed)?;
        assert!(message.len() <= LIMITS.message);
        return Ok(format!("{message:?}"));
    }
    if event == Event::Ping {
        assert!(decoder.ping_payload().len() <= frame::MAX_CONTROL);
    }
    Ok(format!("{event:?}"))
}

/// A message, in the fragments that the first bytes ask for, decodes to itself.
pub fn round_trip(bytes: &[u8]) {
    let Some((&[options, size], message)) = bytes.split_first_chunk() else {
        return;
    };
    let window = Window {
        bits: 9 + options % 7,
        takeover: options & 0x80 != 0,
    };
    let compressed = options & 0x40 != 0;
    let key = [options, size, 3, 4];
    let mut deflater = Deflater::new(window, u32::from(options & 7).max(1));
    let mut decoder = Decoder::new(Role::Server, LIMITS, Some(window));
    for _ in 0..2 {
        let mut payload = message.to_vec();
        if compressed && !message.is_empty() {
            payload.clear();
            deflater.deflate(message, &mut payload);
        }
        if message.len() > LIMITS.message || payload.len() > LIMITS.frame {
            return;
        }
        let mut stream = Vec::new();
        let pieces: Vec<&[u8]> = payload.chunks(usize::from(size) + 1).collect();
        for (i, piece) in pieces.iter().enumerate() {
            let first = First {
                opcode: if i == 0 {
                    Opcode::Binary
                } else {
                    Opcode::Continuation
                },
                fin: i + 1 == pieces.len(),
                compressed: compressed && i == 0,
            };
            frame::encode(&mut stream, first, piece, Some(key));
        }
        let mut rest = stream.as_mut_slice();
        while !rest.is_empty() {
            let (used, event) = decoder.decode(rest).expect("it is valid");
            let (consumed, after) = rest.split_at_mut(used);
            if let Some(event) = event {
                let Event::Message(got) = event else {
                    panic!("{event:?}");
                };
                let got = got.lend(consumed).expect("it is valid");
                assert_eq!((got.as_bytes(), after.len()), (message, 0));
            }
            rest = after;
        }
    }
}

/// However a peer negotiates, nobody agrees to more than it wants.
pub fn extensions(header: &str) {
    for ours in [
        Compression::shared(),
        Compression::dedicated(),
        Compression::dedicated().window_bits(10, 12),
    ] {
        if let Some((agreement, answer)) = extension::accept([header].into_iter(), &ours) {
            assert!(agreement.send.bits <= ours.send_bits);
            assert!((8..=15).contains(&agreement.receive.bits));
            assert!(answer.starts_with("permessage-deflate"));
        }
        if let Ok(Some(agreement)) = extension::check_answer([header].into_iter(), Some(&ours)) {
            assert!(agreement.send.bits <= ours.send_bits);
            assert!(agreement.receive.bits <= ours.receive_bits);
            assert!(!agreement.send.takeover || ours.takeover);
        }
        let empty = header
            .trim_matches(|c: char| c == ',' || c.is_whitespace())
            .is_empty();
        let unasked = extension::check_answer([header].into_iter(), None);
        assert!(unasked.is_err() || empty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_inputs() {
        decode(b"");
        decode(b"\x01\x81\x05hello\x89\x00\x88\x02\x03\xe8");
        decode(b"\x13\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
        for options in [0, 0x40, 0xc6] {
            let message = vec![options; 3000];
            round_trip(&[&[options, 100], message.as_slice()].concat());
        }
        extensions("permessage-deflate; client_max_window_bits");
        extensions("permessage-deflate; server_no_context_takeover, x");
    }
}
