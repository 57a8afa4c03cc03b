//! What the targets in `fuzz/` call: properties of the protocols' cores, for any input. Compiled for them only
//! (`--cfg fuzzing`), and with the tests, which try each with some thousand inputs.

use super::packet::{Content, Packet};
use super::protocol::decode::Decoder;
use super::protocol::encode::encode;
use crate::engineio::Message;
use crate::engineio::protocol::packet as engine;

/// Any bytes, as the body of a request to Engine.IO: the packets of Socket.IO in it are written so that they can be
/// read again, as what they were.
pub fn packets(bytes: &[u8]) {
    let body = String::from_utf8_lossy(bytes);
    let mut decoder = Decoder::new(10);
    for packet in engine::packets(&body) {
        let Ok(engine::Packet::Message(message)) = packet else {
            continue;
        };
        match decoder.take(message) {
            Ok(Some(packet)) => check(&packet),
            Ok(None) => {}
            Err(engine::Malformed) => return,
        }
    }
}

fn check(packet: &Packet) {
    let again = read(encode(packet)).expect("what was read can be read again");
    match packet.content {
        // A fraction in its value may lose its last digit.
        Content::Connect(_) => assert_eq!(again.namespace, packet.namespace),
        _ => assert_eq!(again, *packet),
    }
}

/// The packet of these messages, none too many.
fn read(messages: Vec<Message>) -> Option<Packet> {
    let mut decoder = Decoder::new(messages.len());
    let mut messages = messages.into_iter();
    let packet = messages.find_map(|message| decoder.take(message).transpose())?;
    assert_eq!(messages.next(), None);
    packet.ok()
}

/// Any bytes, as the body of a request of Socket.IO 0.9: its packets are written so that they can be read again, as
/// what they were.
#[cfg(feature = "socketio-legacy")]
pub fn legacy_packets(bytes: &[u8]) {
    use super::legacy::protocol::{packet::Packet, payload};
    let body = String::from_utf8_lossy(bytes);
    let Ok(texts) = payload::decode(&body) else {
        return;
    };
    if texts.len() > 1 {
        let body = payload::encode(&texts);
        assert_eq!(payload::decode(&body).as_deref(), Ok(&*texts));
    }
    for packet in texts.into_iter().flat_map(Packet::decode) {
        let text = packet.encode();
        let again = Packet::decode(&text).expect("what was read can be read again");
        assert_eq!(again.encode(), text);
    }
}

#[cfg(test)]
#[path = "../../../fuzz/near.rs"]
mod near;

#[cfg(test)]
mod tests {
    use super::near::try_around;
    use super::*;

    #[test]
    fn packets_of_socketio() {
        let seeds = [
            "40{\"token\":\"abc\"}\u{1e}42/custom,12[\"x\",1.5,\"\u{e9}\"]\u{1e}1",
            "452-[\"m\",{\"_placeholder\":true,\"num\":0},[{\"_placeholder\":true,\"num\":1}]]\u{1e}bAQID\u{1e}b",
            "461-/a,789[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID\u{1e}437[]\u{1e}41/a,",
        ];
        try_around(&seeds, b"0123456b/,-[]{}\"\\:ue \x1e\xc3\xa9\xff", packets);
    }

    #[cfg(feature = "socketio-legacy")]
    #[test]
    fn packets_of_socketio_0_9() {
        let seeds = [
            "\u{fffd}20\u{fffd}5:1+:/a:{\"name\":\"x\"}\u{fffd}3\u{fffd}2::",
            "5:12+:/chat:{\"name\":\"x\",\"args\":[1,\"\u{1f600}\"]}",
            "\u{fffd}15\u{fffd}6:::4+[\"A\",\"B\"]\u{fffd}11\u{fffd}1::/a?my=b:\u{fffd}6\u{fffd}3:1::a",
        ];
        try_around(
            &seeds,
            "0123456789:+/?[]{}\",\u{fffd}".as_bytes(),
            legacy_packets,
        );
    }
}
