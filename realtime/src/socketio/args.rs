//! The arguments of events: JSON, and bytes among it.

use super::Error;
use super::attachments::{Collecting, WithAttachments};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use serde_json::{Number, Value};
use std::fmt;
use std::sync::Arc;

/// The arguments of an event, or of an answer to one: any number of JSON values, with [`Binary`] ones anywhere in them.
///
/// Kept as the text that came, or that goes: who passes arguments on does not change them. Cloning is cheap.
///
/// ```
/// use greenwire_realtime::socketio::{Args, Binary};
///
/// let args = Args::new(("a picture", Binary::from(vec![1, 2, 3])))?;
/// assert_eq!(args.as_json(), r#"["a picture",{"_placeholder":true,"num":0}]"#);
/// assert_eq!(args.get::<Binary>(1)?, Binary::from(vec![1, 2, 3]));
/// # Ok::<(), greenwire_realtime::socketio::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// An array.
    json: Arc<str>,
    attachments: Arc<[Bytes]>,
}

impl Args {
    /// Turns values into arguments; see [`IntoArgs`].
    ///
    /// # Errors
    /// [`Error::Json`] if a value is none of JSON's, such as a map whose keys are not strings.
    pub fn new(values: impl IntoArgs) -> Result<Args, Error> {
        values.into_args()
    }

    /// Arguments of a JSON array, with `{"_placeholder":true,"num":0}` in the place of the first attachment, and so on.
    ///
    /// # Errors
    /// [`Error::Json`] if it is no array.
    pub fn from_json(array: &str, attachments: Vec<Bytes>) -> Result<Args, Error> {
        let items: Vec<&RawValue> = serde_json::from_str(array)?;
        Ok(Args::of_items(&items, attachments))
    }

    /// Arguments of items that are JSON.
    pub(crate) fn of_items(items: &[&RawValue], attachments: Vec<Bytes>) -> Args {
        let mut json = String::from("[");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            json.push_str(item.get());
        }
        json.push(']');
        Args {
            json: json.into(),
            attachments: attachments.into(),
        }
    }

    /// The arguments as a JSON array, with placeholders for attachments.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// The bytes that the placeholders stand for.
    #[must_use]
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// How many arguments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        &*self.json == "[]"
    }

    /// One argument. One that is missing is null, as JavaScript sees it, so `Option` serves for those that need not be
    /// there.
    ///
    /// # Errors
    /// [`Error::Json`] if it is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, Error> {
        self.value_of(self.items().get(index).copied())
    }

    /// All arguments, in place of whose bytes there are placeholders.
    #[must_use]
    pub fn to_values(&self) -> Vec<Value> {
        let values = self.items().into_iter();
        let parse = |item: &RawValue| serde_json::from_str(item.get()).unwrap_or(Value::Null);
        values.map(parse).collect()
    }

    /// With one more argument at the end.
    pub(crate) fn with_last(&self, text: &str) -> Args {
        let mut json = self.json.strip_suffix(']').unwrap_or("[").to_owned();
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&Value::from(text).to_string());
        json.push(']');
        Args {
            json: json.into(),
            attachments: self.attachments.clone(),
        }
    }

    /// Roughly what they take in memory.
    pub(crate) fn size(&self) -> usize {
        self.json.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    pub(crate) fn items(&self) -> Vec<&RawValue> {
        // It is an array whatever way it was made.
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    pub(crate) fn value_of<T: DeserializeOwned>(
        &self,
        item: Option<&RawValue>,
    ) -> Result<T, Error> {
        let text = item.map_or("null", RawValue::get);
        if self.attachments.is_empty() {
            return Ok(serde_json::from_str(text)?);
        }
        let value: Value = serde_json::from_str(text)?;
        Ok(T::deserialize(WithAttachments {
            value: &value,
            attachments: &self.attachments,
        })?)
    }
}

impl Default for Args {
    /// None.
    fn default() -> Args {
        Args::of_items(&[], Vec::new())
    }
}

/// Bytes as an argument, or anywhere in one.
///
/// They travel as they are, beside the JSON. Other types that serde takes for bytes do the same, such as those of
/// the crate `serde_bytes`; a `Vec<u8>` is an array of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binary(pub Bytes);

impl<B: Into<Bytes>> From<B> for Binary {
    fn from(bytes: B) -> Binary {
        Binary(bytes.into())
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Binary, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Binary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(Bytes::copy_from_slice(bytes)))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
                Ok(Binary(bytes.into()))
            }
        }

        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// What an event can be emitted with, and answered with.
///
/// `()` is no argument. A tuple is one argument for each of its parts, which are anything that serde serialises. Texts,
/// numbers, truth values, lists, options, [`Value`] and [`Binary`] are one argument by themselves; anything else is
/// one in a tuple of one: `(point,)`. [`Args`] are passed on as they are.
pub trait IntoArgs {
    /// Turns it into arguments.
    ///
    /// # Errors
    /// [`Error::Json`] if it cannot be JSON.
    fn into_args(self) -> Result<Args, Error>;
}

/// Writes values as the items of a JSON array.
fn collect(values: impl Serialize) -> Result<Args, Error> {
    let mut json = Vec::new();
    let mut collecting = Collecting::default();
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, &mut collecting);
    values.serialize(&mut serializer)?;
    let json = String::from_utf8(json).map_err(|_| Error::not_json("not UTF-8"))?;
    Ok(Args {
        json: json.into(),
        attachments: collecting.attachments.into(),
    })
}

impl IntoArgs for Args {
    fn into_args(self) -> Result<Args, Error> {
        Ok(self)
    }
}

impl IntoArgs for &Args {
    fn into_args(self) -> Result<Args, Error> {
        Ok(self.clone())
    }
}

impl IntoArgs for () {
    fn into_args(self) -> Result<Args, Error> {
        Ok(Args::default())
    }
}

macro_rules! one_argument {
    ($($type:ty),+) => {$(
        impl IntoArgs for $type {
            fn into_args(self) -> Result<Args, Error> {
                collect((self,))
            }
        }
    )+};
}

one_argument!(&str, String, &String, bool, char);
one_argument!(
    u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64, Number
);
one_argument!(Value, &Value, Binary, &Binary);

impl<T: Serialize> IntoArgs for Option<T> {
    fn into_args(self) -> Result<Args, Error> {
        collect((self,))
    }
}

impl<T: Serialize> IntoArgs for Vec<T> {
    fn into_args(self) -> Result<Args, Error> {
        collect((self,))
    }
}

impl<T: Serialize> IntoArgs for &[T] {
    fn into_args(self) -> Result<Args, Error> {
        collect((self,))
    }
}

macro_rules! many_arguments {
    ($($($name:ident)+;)+) => {$(
        impl<$($name: Serialize),+> IntoArgs for ($($name,)+) {
            fn into_args(self) -> Result<Args, Error> {
                collect(self)
            }
        }
    )+};
}

many_arguments! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
