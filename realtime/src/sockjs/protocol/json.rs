//! JSON as SockJS needs it: strings that survive every browser, and arrays of strings.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt::{self, Write as _};

/// The most messages that come at once. As strings of their own, short ones take many times the bytes that they came
/// in.
pub(crate) const MOST_MESSAGES: usize = 1 << 16;

/// What a client sent is no array of strings, or of too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Appends `text` as a string of JSON. What some browsers change or drop on its way is escaped: the characters
/// that the protocol calls "escapable by server".
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut copied = 0;
    for (at, char) in text.char_indices().filter(|(_, char)| is_escaped(*char)) {
        out.push_str(&text[copied..at]);
        escape(char, out);
        copied = at + char.len_utf8();
    }
    out.push_str(&text[copied..]);
    out.push('"');
}

fn is_escaped(char: char) -> bool {
    matches!(
        char,
        '"' | '\\'
            | '\0'..='\x1f'
            | '\u{200c}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{ffff}'
    )
}

fn escape(char: char, out: &mut String) {
    match char {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a String cannot fail.
        _ => drop(write!(out, "\\u{:04x}", u32::from(char))),
    }
}

/// The messages in the body of a request: an array of strings.
pub(crate) fn messages(body: &[u8]) -> Result<Vec<String>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    let texts = parse::<Vec<Text>>(text)?;
    match texts.len() <= MOST_MESSAGES {
        true => Ok(texts.into_iter().map(|text| text.0).collect()),
        false => Err(Malformed),
    }
}

/// The messages in a message of a websocket: an array of strings, or one string.
pub(crate) fn messages_or_one(text: &str) -> Result<Vec<String>, Malformed> {
    match text.trim_start().starts_with('[') {
        true => messages(text.as_bytes()),
        false => parse::<Text>(text).map(|text| vec![text.0]),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed)
}

/// A string as JavaScript has them: half of a surrogate pair may stand alone in it. Such a half becomes U+FFFD,
/// as in what a browser sends over a websocket.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct AsBytes;

        impl Visitor<'_> for AsBytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(without_lone_surrogates(bytes)))
            }
        }

        // As bytes, since serde_json refuses lone surrogates in what is to be a string.
        deserializer.deserialize_bytes(AsBytes)
    }
}

/// UTF-8, in which lone surrogates are written as if they were characters: in three bytes each.
fn without_lone_surrogates(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                text.push(char::REPLACEMENT_CHARACTER);
                bytes = rest.get(3..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_quote(text: &str, expected: &str) {
        let mut quoted = String::new();
        quote(text, &mut quoted);
        assert_eq!(quoted, expected);
        assert_eq!(messages_or_one(&quoted), Ok(vec![text.to_owned()]));
    }

    #[test]
    fn strings_survive_every_browser() {
        check_quote("", r#""""#);
        check_quote("plain ä € 😀", r#""plain ä € 😀""#);
        check_quote(
            "\"\\/\n\r\t\0\x1f\x7f",
            "\"\\\"\\\\/\\n\\r\\t\\u0000\\u001f\x7f\"",
        );
        check_quote("\u{200b}\u{200c}\u{2010}", "\"\u{200b}\\u200c\u{2010}\"");
        check_quote("\u{2028}\u{206f}", r#""\u2028\u206f""#);
        check_quote("\u{feff}\u{fff0}\u{ffff}", "\"\u{feff}\\ufff0\\uffff\"");
    }

    #[track_caller]
    fn check_messages(body: &[u8], expected: Option<&[&str]>) {
        let expected = expected.map(|texts| texts.iter().map(|&text| text.to_owned()).collect());
        assert_eq!(messages(body).ok(), expected, "{}", body.escape_ascii());
    }

    #[test]
    fn arrays_of_strings_are_messages_and_nothing_else_is() {
        check_messages(b"[]", Some(&[]));
        check_messages(b" [ \"a\" , \"b\" ] ", Some(&["a", "b"]));
        check_messages(br#"["\ud83d\ude00 \u00e9"]"#, Some(&["😀 é"]));
        check_messages(br#"["\ud800 \ude00x"]"#, Some(&["\u{fffd} \u{fffd}x"]));
        for broken in [
            &b""[..],
            b"[\"x",
            b"\"x\"",
            b"[1]",
            b"{}",
            b"[[\"x\"]]",
            b"[\"x\"] y",
            b"[\"\xff\"]",
            b"[\"\\x\"]",
        ] {
            check_messages(broken, None);
        }
    }

    #[test]
    fn only_so_many_messages_come_at_once() {
        let body = |count| format!("[{}]", vec!["\"\""; count].join(","));
        let most = messages(body(MOST_MESSAGES).as_bytes()).unwrap();
        assert_eq!(most.len(), MOST_MESSAGES);
        assert_eq!(messages(body(MOST_MESSAGES + 1).as_bytes()), Err(Malformed));
    }

    #[test]
    fn a_websocket_may_send_a_message_alone() {
        assert_eq!(messages_or_one(r#" "x""#), Ok(vec!["x".to_owned()]));
        assert_eq!(messages_or_one(r#" ["x"]"#), Ok(vec!["x".to_owned()]));
        assert_eq!(messages_or_one(r#"["x"#), Err(Malformed));
        assert_eq!(messages_or_one("7"), Err(Malformed));
    }
}
