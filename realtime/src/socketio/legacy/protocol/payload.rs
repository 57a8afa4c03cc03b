//! Several packets in one body: each as `\u{fffd}LENGTH\u{fffd}PACKET`. The length counts as JavaScript does, in
//! units of UTF-16.

use super::packet::Malformed;
use std::fmt::Write;

const MARK: char = '\u{fffd}';

/// One body for packets. A single one is left as it is.
pub(crate) fn encode<T: AsRef<str>>(packets: &[T]) -> String {
    if let [packet] = packets {
        return packet.as_ref().to_owned();
    }
    let mut payload = String::new();
    for packet in packets.iter().map(AsRef::as_ref) {
        let length = packet.chars().map(char::len_utf16).sum::<usize>();
        // Writing to a string does not fail.
        let _ = write!(payload, "{MARK}{length}{MARK}{packet}");
    }
    payload
}

/// The packets in a body.
pub(crate) fn decode(payload: &str) -> Result<Vec<&str>, Malformed> {
    if !payload.starts_with(MARK) {
        return Ok(vec![payload]);
    }
    let mut packets = Vec::new();
    let mut rest = payload;
    while let Some(marked) = rest.strip_prefix(MARK) {
        let (length, behind) = marked.split_once(MARK).ok_or(Malformed)?;
        let length = length.parse().map_err(|_| Malformed)?;
        let (packet, behind) = split_at_utf16(behind, length).ok_or(Malformed)?;
        packets.push(packet);
        rest = behind;
    }
    rest.is_empty().then_some(packets).ok_or(Malformed)
}

/// Splits a text behind so many units of UTF-16, unless it is shorter, or that is within a character.
fn split_at_utf16(text: &str, units: usize) -> Option<(&str, &str)> {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return Some(text.split_at(at));
        }
        left = left.checked_sub(c.len_utf16())?;
    }
    (left == 0).then_some((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_in_both_directions() {
        let rows: [(&[&str], &str); 4] = [
            (&["2::"], "2::"),
            (
                &["3:::5", "3:::53d"],
                "\u{fffd}5\u{fffd}3:::5\u{fffd}7\u{fffd}3:::53d",
            ),
            (
                // A character beyond 16 bits counts twice, as in JavaScript.
                &["3:::é€", "3:::😀", "2::"],
                "\u{fffd}6\u{fffd}3:::é€\u{fffd}6\u{fffd}3:::😀\u{fffd}3\u{fffd}2::",
            ),
            (
                &["3:::\u{fffd}1\u{fffd}", "2::"],
                "\u{fffd}7\u{fffd}3:::\u{fffd}1\u{fffd}\u{fffd}3\u{fffd}2::",
            ),
        ];
        for (packets, payload) in rows {
            assert_eq!(encode(packets), payload);
            assert_eq!(decode(payload).unwrap(), packets, "{payload}");
        }
    }

    #[test]
    fn what_is_no_payload() {
        let rows = [
            "\u{fffd}",
            "\u{fffd}5",
            "\u{fffd}5\u{fffd}",
            "\u{fffd}x\u{fffd}3:::5",
            "\u{fffd}\u{fffd}3:::5",
            "\u{fffd}-1\u{fffd}3:::5",
            "\u{fffd}99999999999999999999999\u{fffd}3:::5",
            "\u{fffd}6\u{fffd}3:::5",
            "\u{fffd}4\u{fffd}3:::5",
            // Within a pair of surrogates.
            "\u{fffd}5\u{fffd}3:::😀",
        ];
        for payload in rows {
            assert_eq!(decode(payload), Err(Malformed), "{payload:?}");
        }
    }
}
