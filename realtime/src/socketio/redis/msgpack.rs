//! Data in MessagePack, as notepack.io writes and reads it, and in JSON with attachments, as it goes to clients.

use super::Malformed;
use crate::socketio::Args;
use bytes::Bytes;
use rmpv::Value;

/// How deep data may be nested: as deep as JSON that comes from clients.
const DEPTH: usize = 64;

/// The timestamps of the MessagePack specification.
const TIMESTAMP: i8 = -1;

/// All of `bytes` as one value.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Value, Malformed> {
    let value = rmpv::decode::read_value_with_max_depth(&mut bytes, DEPTH);
    let value = value.map_err(|_| Malformed)?;
    bytes.is_empty().then_some(value).ok_or(Malformed)
}

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector does not fail.
    let _ = rmpv::encode::write_value(&mut bytes, value);
    bytes
}

/// Values as arguments.
pub(super) fn to_args(values: Vec<Value>) -> Result<Args, Malformed> {
    let mut attachments = Vec::new();
    let values = values.into_iter();
    let values = values.map(|value| with_placeholders(value, &mut attachments));
    let json = serde_json::to_string(&values.collect::<Vec<_>>()).map_err(|_| Malformed)?;
    Args::from_json(&json, attachments).map_err(|_| Malformed)
}

/// Arguments as values.
pub(super) fn from_args(args: &Args) -> Vec<Value> {
    // It is an array of JSON, whatever it was made of.
    let values: Vec<Value> = serde_json::from_str(args.as_json()).unwrap_or_default();
    let values = values.into_iter();
    values
        .map(|value| with_attachments(value, args.attachments()))
        .collect()
}

/// The value as JSON can say it. Its bytes go to the attachments, and leave placeholders.
fn with_placeholders(value: Value, attachments: &mut Vec<Bytes>) -> Value {
    match value {
        Value::Binary(bytes) => {
            let number = attachments.len();
            attachments.push(bytes.into());
            let entries = [("_placeholder", true.into()), ("num", number.into())];
            Value::Map(entries.map(|(key, value)| (key.into(), value)).into())
        }
        Value::String(text) => in_utf8(&text).into(),
        Value::Array(items) => {
            let items = items.into_iter();
            let items = items.map(|item| with_placeholders(item, attachments));
            Value::Array(items.collect())
        }
        Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| {
                let key = Value::from(name(&key));
                (key, with_placeholders(value, attachments))
            });
            Value::Map(entries.collect())
        }
        Value::Ext(TIMESTAMP, bytes) => timestamp(&bytes).map_or(Value::Nil, Value::from),
        // Nothing that notepack.io writes.
        Value::Ext(..) => Value::Nil,
        plain => plain,
    }
}

/// The value with bytes in the place of placeholders.
fn with_attachments(value: Value, attachments: &[Bytes]) -> Value {
    if let Some(bytes) = attachment(&value, attachments) {
        return Value::Binary(bytes.to_vec());
    }
    match value {
        Value::Array(items) => {
            let items = items.into_iter();
            let items = items.map(|item| with_attachments(item, attachments));
            Value::Array(items.collect())
        }
        Value::Map(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (key, with_attachments(value, attachments)));
            Value::Map(entries.collect())
        }
        plain => plain,
    }
}

fn attachment<'a>(value: &Value, attachments: &'a [Bytes]) -> Option<&'a Bytes> {
    let entry = |name: &str| {
        let mut entries = value.as_map()?.iter();
        let found = entries.find(|(key, _)| key.as_str() == Some(name));
        found.map(|(_, value)| value)
    };
    let is_placeholder = entry("_placeholder")?.as_bool() == Some(true);
    let number = entry("num")?.as_u64().filter(|_| is_placeholder)?;
    attachments.get(usize::try_from(number).ok()?)
}

/// A key, or the name of something, as JavaScript makes it a string.
pub(super) fn name(key: &Value) -> String {
    match key {
        Value::String(text) => in_utf8(text),
        other => other.to_string(),
    }
}

fn in_utf8(text: &rmpv::Utf8String) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

/// A timestamp as `Date.prototype.toJSON` writes it, which is what clients get.
fn timestamp(bytes: &[u8]) -> Option<String> {
    let (seconds, nanoseconds) = match *bytes {
        [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [a, b, c, d, e, f, g, h] => {
            let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            ((both & ((1 << 34) - 1)) as i64, (both >> 34) as u32)
        }
        _ => {
            let (nanoseconds, seconds) = bytes.split_first_chunk::<4>()?;
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            (seconds, u32::from_be_bytes(*nanoseconds))
        }
    };
    date(seconds, nanoseconds)
}

/// `None` is beyond what a `Date` can be: 100,000,000 days from 1970.
fn date(seconds: i64, nanoseconds: u32) -> Option<String> {
    const DAY: i64 = 86_400;
    let day = seconds.div_euclid(DAY);
    if day.abs() >= 100_000_000 {
        return None;
    }
    let (year, month, day) = civil(day);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let millisecond = nanoseconds / 1_000_000;
    Some(format!(
        "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
    ))
}

/// Year, month and day of a day, counted from 1970. Years are counted from March here, so that the leap day is
/// the last one of its year, in eras of 400 years, after which the calendar repeats.
fn civil(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    // From the first of March of the year 0.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hex: &str, expected: &str) {
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let args = to_args(vec![decode(&bytes).unwrap()]).unwrap();
        let attachments: Vec<_> = args
            .attachments()
            .iter()
            .map(|bytes| bytes.to_vec())
            .collect();
        let value = args.as_json();
        assert_eq!(
            format!("{} {attachments:?}", &value[1..value.len() - 1]),
            expected
        );
    }

    /// Bytes that notepack.io 3.0.1 makes.
    #[test]
    fn values_of_javascript() {
        check("94c0c3c2c0", "[null,true,false,null] []");
        check(
            "98007fcc80ccffcd0100ce00010000cf0000000100000000cf001fffffffffffff",
            "[0,127,128,255,256,65536,4294967296,9007199254740991] []",
        );
        check(
            "96ffe0d0dfd1ff7fd2ffff63c0d3ffffffff4d2fa200",
            "[-1,-32,-33,-129,-40000,-3000000000] []",
        );
        // The last two are NaN and Infinity.
        check(
            "94cb3ff8000000000000cbbfd0000000000000cb7ff8000000000000cb7ff0000000000000",
            "[1.5,-0.25,null,null] []",
        );
        check("92a0a9c3a9e282acf09f9880", "[\"\",\"é€😀\"] []");
        check("81a16181a1629101", "{\"a\":{\"b\":[1]}} []");
        check(
            "93c402010281a178c4026869c40109",
            "[{\"_placeholder\":true,\"num\":0},{\"x\":{\"_placeholder\":true,\"num\":1}},\
             {\"_placeholder\":true,\"num\":2}] [[1, 2], [104, 105], [9]]",
        );
        check(
            "93d6ff00000000d7ff1d5353006920c2aac70cff3b8b87c0ffffffffffffffff",
            "[\"1970-01-01T00:00:00.000Z\",\"2025-11-21T19:51:06.123Z\",\"1969-12-31T23:59:59.999Z\"] []",
        );
        // An earlier version's `undefined`.
        check("91d40000", "[null] []");
    }

    #[test]
    fn what_goes_out_comes_back() {
        let json = r#"[null,true,1,-5,1.5,4294967296,"é😀",{"z":{"_placeholder":true,"num":1},"a":[{"_placeholder":true,"num":0}]}]"#;
        let attachments = vec![Bytes::from_static(&[1, 2, 3]), Bytes::new()];
        let values = from_args(&Args::from_json(json, attachments).unwrap());
        let Value::Array(back) = decode(&encode(&Value::Array(values.clone()))).unwrap() else {
            panic!("it is an array");
        };
        assert_eq!(back, values);
        let args = to_args(back).unwrap();
        // Attachments are numbered in the order in which they are met.
        assert_eq!(
            *args.attachments(),
            [Bytes::new(), Bytes::from_static(&[1, 2, 3])]
        );
        assert!(
            args.as_json()
                .contains(r#"{"z":{"_placeholder":true,"num":0},"a":"#)
        );
    }

    #[test]
    fn a_placeholder_of_nothing_is_an_object() {
        for (json, count) in [
            (r#"[{"_placeholder":true,"num":7}]"#, 0),
            (r#"[{"_placeholder":1,"num":0}]"#, 1),
        ] {
            let args = Args::from_json(json, vec![Bytes::new(); count]).unwrap();
            assert!(from_args(&args)[0].is_map());
        }
    }

    #[test]
    fn what_is_not_one_value() {
        let deep = [0x91; 100_000];
        let huge = [0xdd, 0xff, 0xff, 0xff, 0xff];
        for bytes in [&b""[..], b"\xc0\xc0", b"\xa5abc", &deep, &huge] {
            assert_eq!(decode(bytes), Err(Malformed));
        }
    }

    #[test]
    fn dates_at_the_ends() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (-62_167_219_200, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_201, "-000001-12-31T23:59:59.000Z"),
            (253_402_300_800, "+010000-01-01T00:00:00.000Z"),
        ];
        for (seconds, text) in rows {
            assert_eq!(date(seconds, 0).as_deref(), Some(text));
        }
        assert_eq!(date(i64::MAX, 0), None);
        assert_eq!(date(i64::MIN, 0), None);
    }
}
