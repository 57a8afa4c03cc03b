//! JSON as Python's `json.dumps` writes it, which is what Shaveet's clients were made with: `", "` and `": "`
//! between things, and nothing but ASCII. So it can be in a script, whatever its encoding.

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Serializer, Value};
use std::io;

/// The text of a value that JSON can express: strings, numbers, lists, and maps by strings.
pub(super) fn to_string<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, AsPython);
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    String::from_utf8(text).unwrap_or_default()
}

/// The text of a message: a string as it is, anything else as JSON.
pub(super) fn message(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => to_string(other),
    }
}

struct AsPython;

impl Formatter for AsPython {
    fn begin_array_value<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        separate(writer, first)
    }

    fn begin_object_key<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        separate(writer, first)
    }

    fn begin_object_value<W>(&mut self, writer: &mut W) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for piece in fragment.split_inclusive(|c: char| !c.is_ascii()) {
            let (ascii, other) = match piece.char_indices().next_back() {
                Some((start, last)) if !last.is_ascii() => (&piece[..start], Some(last)),
                _ => (piece, None),
            };
            writer.write_all(ascii.as_bytes())?;
            for unit in other
                .iter()
                .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn separate(writer: &mut (impl io::Write + ?Sized), first: bool) -> io::Result<()> {
    match first {
        true => Ok(()),
        false => writer.write_all(b", "),
    }
}

#[cfg(test)]
mod tests {
    use super::to_string;
    use serde_json::json;

    #[track_caller]
    fn check(value: impl serde::Serialize, text: &str) {
        assert_eq!(to_string(&value), text);
    }

    #[test]
    fn python_writes_it_like_this() {
        check(
            json!({"a": [1, 2.5, true, null], "b": {}}),
            r#"{"a": [1, 2.5, true, null], "b": {}}"#,
        );
        check((1, "x", "y"), r#"[1, "x", "y"]"#);
        check(json!([]), "[]");
    }

    #[test]
    fn nothing_but_ascii_is_written() {
        check("hi \u{20ac}!", r#""hi \u20ac!""#);
        check("é\u{1f600}é", r#""\u00e9\ud83d\ude00\u00e9""#);
        check("\"\\/\n\r\t\u{8}\u{c}\u{1}", r#""\"\\/\n\r\t\b\f\u0001""#);
        check("\u{2028}</script>", r#""\u2028</script>""#);
    }
}
