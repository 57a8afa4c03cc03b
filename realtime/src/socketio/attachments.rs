//! How bytes get out of the values that are sent, and into those that have come: a placeholder stands for each.

use bytes::Bytes;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Compact JSON, with a placeholder for each sequence of bytes, which it collects.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    pub(super) attachments: Vec<Bytes>,
}

impl Formatter for &mut Collecting {
    fn write_byte_array<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        value: &[u8],
    ) -> io::Result<()> {
        let number = self.attachments.len();
        self.attachments.push(Bytes::copy_from_slice(value));
        write!(writer, r#"{{"_placeholder":true,"num":{number}}}"#)
    }
}

/// Which attachment a value stands for: `None` if for none, an error if for one that is not there.
pub(super) fn placeholder(value: &Value, count: usize) -> Option<Result<usize, ()>> {
    let object = value.as_object()?;
    if object.get("_placeholder") != Some(&Value::Bool(true)) {
        return None;
    }
    let number = object.get("num").and_then(Value::as_u64);
    let index = number.and_then(|number| usize::try_from(number).ok());
    Some(index.filter(|&index| index < count).ok_or(()))
}

/// Whether all placeholders in a value stand for one of `count` attachments.
pub(super) fn are_all_there(value: &Value, count: usize) -> bool {
    match placeholder(value, count) {
        Some(index) => index.is_ok(),
        None => match value {
            Value::Array(items) => items.iter().all(|item| are_all_there(item, count)),
            Value::Object(items) => items.values().all(|item| are_all_there(item, count)),
            _ => true,
        },
    }
}

/// A value whose placeholders are bytes for whoever deserialises it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WithAttachments<'a> {
    pub(super) value: &'a Value,
    pub(super) attachments: &'a [Bytes],
}

type Error = serde_json::Error;

impl<'a> WithAttachments<'a> {
    fn with(self, value: &'a Value) -> WithAttachments<'a> {
        WithAttachments { value, ..self }
    }

    fn bytes(self) -> Option<&'a Bytes> {
        let index = placeholder(self.value, self.attachments.len())?;
        self.attachments.get(index.ok()?)
    }
}

impl<'a> IntoDeserializer<'a, Error> for WithAttachments<'a> {
    type Deserializer = WithAttachments<'a>;

    fn into_deserializer(self) -> WithAttachments<'a> {
        self
    }
}

impl<'de> Deserializer<'de> for WithAttachments<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Some(bytes) = self.bytes() {
            return visitor.visit_borrowed_bytes(bytes);
        }
        match self.value {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(
                items.iter().map(|item| self.with(item)),
            )),
            Value::Object(items) => visitor.visit_map(MapDeserializer::new(
                items
                    .iter()
                    .map(|(key, item)| (key.as_str(), self.with(item))),
            )),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Variants have no bytes in them.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}
