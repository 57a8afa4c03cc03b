//! The answers of a server, out of the bytes of a stream:
//! [RESP](https://redis.io/docs/latest/develop/reference/protocol-spec/) 2 and 3.
//!
//! What has no parts is left to the crate `redis`. Its parser recurses into what has some, which takes more
//! stack than a green thread has.

use ::redis::{ErrorKind, PushKind, RedisError, RedisResult, Value, parse_redis_value};
use std::io::{self, Read};
use std::ops::Range;
use std::str;

/// An answer has at most so many levels; those of Redis's own commands have fewer than ten. The crate `redis`
/// recurses over them.
const DEEPEST: usize = 32;

/// The longest value, Redis's own limit.
const LARGEST: usize = 512 << 20;

/// The longest line, such as an error.
const LONGEST_LINE: usize = 64 << 10;

/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// Takes values out of a stream, and keeps what was read beyond.
#[derive(Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    /// From where to where there are bytes that were read and not taken.
    unread: Range<usize>,
}

/// What a line begins.
enum Token {
    Value(Value),
    /// So many values follow, which are parts of one.
    Parts(Kind, usize),
}

#[derive(Clone, Copy)]
enum Kind {
    Array,
    Set,
    Map,
    Push,
    /// Pairs about the value that follows them. They are left out.
    Attribute,
}

/// A value whose parts are on their way.
struct Open {
    kind: Kind,
    parts: Vec<Value>,
    /// How many are to come.
    left: usize,
}

impl Reader {
    /// The next value. After an error nobody knows where in the stream another one begins.
    pub(crate) fn value(&mut self, stream: &mut impl Read) -> RedisResult<Value> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match self.token(stream)? {
                Token::Value(value) => value,
                Token::Parts(kind, 0) => kind.close(Vec::new()),
                Token::Parts(_, _) if open.len() == DEEPEST => return Err(nonsense()),
                Token::Parts(kind, left) => {
                    let parts = Vec::with_capacity(left.min(1024));
                    open.push(Open { kind, parts, left });
                    continue;
                }
            };
            // It may be the last part of the one around it, and so on.
            loop {
                let Some(innermost) = open.last_mut() else {
                    return Ok(value);
                };
                innermost.parts.push(value);
                innermost.left -= 1;
                if innermost.left > 0 {
                    break;
                }
                let Some(Open { kind, parts, .. }) = open.pop() else {
                    return Err(nonsense());
                };
                value = kind.close(parts);
            }
        }
    }

    fn token(&mut self, stream: &mut impl Read) -> RedisResult<Token> {
        let line = self.line(stream)?;
        let (Some(first), rest) = (line.first(), line.get(1..).unwrap_or_default()) else {
            return Err(nonsense());
        };
        let kind = match first {
            b':' => return Ok(Token::Value(Value::Int(number(rest)?))),
            b'$' => return self.text(number(rest)?, stream),
            b'*' => Kind::Array,
            b'~' => Kind::Set,
            b'%' => Kind::Map,
            b'>' => Kind::Push,
            b'|' => Kind::Attribute,
            b'!' | b'=' => {
                let body = self.bytes(length(number(rest)?)?, stream)?;
                return simple(&[&line[..], b"\r\n", &body].concat());
            }
            _ => return simple(&line),
        };
        match (number(rest)?, kind) {
            (-1, Kind::Array) => Ok(Token::Value(Value::Nil)),
            (count, _) => Ok(Token::Parts(kind, kind.parts(length(count)?))),
        }
    }

    /// A text of that many bytes; -1 is none.
    fn text(&mut self, count: i64, stream: &mut impl Read) -> RedisResult<Token> {
        let value = match count {
            -1 => Value::Nil,
            _ => Value::BulkString(self.bytes(length(count)?, stream)?),
        };
        Ok(Token::Value(value))
    }

    /// The next line, without its end.
    fn line(&mut self, stream: &mut impl Read) -> RedisResult<Vec<u8>> {
        let mut seen = 0;
        loop {
            let unread = &self.buffer[self.unread.clone()];
            if let Some(end) = unread[seen..].iter().position(|byte| *byte == b'\n') {
                let line = unread[..seen + end].strip_suffix(b"\r");
                let line = line.ok_or_else(nonsense)?.to_vec();
                self.unread.start += seen + end + 1;
                return Ok(line);
            }
            seen = unread.len();
            if seen > LONGEST_LINE {
                return Err(nonsense());
            }
            self.fill(stream)?;
        }
    }

    /// So many bytes, and the end of a line after them.
    fn bytes(&mut self, count: usize, stream: &mut impl Read) -> RedisResult<Vec<u8>> {
        let unread = &self.buffer[self.unread.clone()];
        let mut bytes = unread[..count.min(unread.len())].to_vec();
        self.unread.start += bytes.len();
        // It grows with what arrives, whatever was announced.
        let rest = (count - bytes.len()) as u64;
        if stream.take(rest).read_to_end(&mut bytes)? as u64 != rest {
            return Err(hung_up());
        }
        while self.unread.len() < 2 {
            self.fill(stream)?;
        }
        let end = self.unread.start + 2;
        if &self.buffer[self.unread.start..end] != b"\r\n" {
            return Err(nonsense());
        }
        self.unread.start = end;
        Ok(bytes)
    }

    /// Reads more.
    fn fill(&mut self, stream: &mut impl Read) -> RedisResult<()> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let room = self.unread.len() + CHUNK / 2;
        if self.buffer.len() < room {
            self.buffer.resize(room + CHUNK / 2, 0);
        }
        match stream.read(&mut self.buffer[self.unread.end..])? {
            0 => Err(hung_up()),
            count => {
                self.unread.end += count;
                Ok(())
            }
        }
    }

    /// Gives its memory back, if nothing is in it.
    pub(crate) fn rest(&mut self) {
        if self.unread.is_empty() {
            *self = Reader::default();
        }
    }
}

impl Kind {
    /// How many values there are for a count of parts.
    fn parts(self, count: usize) -> usize {
        match self {
            Kind::Array | Kind::Set | Kind::Push => count,
            Kind::Map => 2 * count,
            Kind::Attribute => 2 * count + 1,
        }
    }

    fn close(self, mut parts: Vec<Value>) -> Value {
        match self {
            Kind::Array => Value::Array(parts),
            Kind::Set => Value::Set(parts),
            Kind::Map => Value::Map(pairs(parts)),
            Kind::Push => Value::Push {
                kind: PushKind::Other(String::new()),
                data: parts,
            },
            Kind::Attribute => parts.pop().unwrap_or_default(),
        }
    }
}

fn pairs(values: Vec<Value>) -> Vec<(Value, Value)> {
    let mut values = values.into_iter();
    let next = || Some((values.next()?, values.next()?));
    std::iter::from_fn(next).collect()
}

/// A value without parts.
fn simple(line: &[u8]) -> RedisResult<Token> {
    parse_redis_value(&[line, b"\r\n"].concat()).map(Token::Value)
}

fn number(digits: &[u8]) -> RedisResult<i64> {
    let digits = str::from_utf8(digits).map_err(|_| nonsense())?;
    digits.parse().map_err(|_| nonsense())
}

fn length(number: i64) -> RedisResult<usize> {
    let length = usize::try_from(number).ok();
    length
        .filter(|length| *length <= LARGEST)
        .ok_or_else(nonsense)
}

fn nonsense() -> RedisError {
    let what = "what the server answers is not Redis's protocol, or more than fits";
    RedisError::from((ErrorKind::Parse, what))
}

fn hung_up() -> RedisError {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server has hung up").into()
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use ::redis::Value;
    use std::io::{self, Read};

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = buf.len().min(1);
            self.0.read(&mut buf[..count])
        }
    }

    /// That these bytes are one value, however they come, and another one after it.
    #[track_caller]
    fn check(bytes: &str, expected: &str) {
        let bytes = format!("{bytes}:7\r\n");
        let mut reader = Reader::default();
        let mut drip = Drip(bytes.as_bytes());
        for stream in [&mut bytes.as_bytes() as &mut dyn Read, &mut drip] {
            let mut stream = stream;
            let value = reader.value(&mut stream).unwrap();
            assert_eq!(format!("{value:?}"), expected);
            assert_eq!(reader.value(&mut stream).unwrap(), Value::Int(7));
        }
    }

    #[track_caller]
    fn wrong(bytes: &str) {
        assert!(Reader::default().value(&mut bytes.as_bytes()).is_err());
        assert!(
            Reader::default()
                .value(&mut Drip(bytes.as_bytes()))
                .is_err()
        );
    }

    #[test]
    fn values_without_parts() {
        check("+OK\r\n", "ok");
        check("+PONG\r\n", "simple-string(\"PONG\")");
        check(":-12\r\n", "int(-12)");
        check("$-1\r\n", "nil");
        check("*-1\r\n", "nil");
        check("_\r\n", "nil");
        check("$0\r\n\r\n", "bulk-string('\"\"')");
        check("$4\r\na\r\nb\r\n", "bulk-string('\"a\\r\\nb\"')");
        check("#t\r\n", "boolean(true)");
        check(",1.5\r\n", "double(1.5)");
        check("=7\r\ntxt:abc\r\n", "verbatim-string(Text,\"abc\")");
    }

    #[test]
    fn errors_are_values() {
        let error = |bytes: &str| match Reader::default().value(&mut bytes.as_bytes()) {
            Ok(Value::ServerError(error)) => error.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(error("-ERR no such thing\r\n").contains("no such thing"));
        assert!(error("!9\r\nERR a\r\nbc\r\n").contains("a\r\nbc"));
    }

    #[test]
    fn values_with_parts() {
        check("*0\r\n", "array([])");
        check(
            "*2\r\n:1\r\n*1\r\n:2\r\n",
            "array([int(1), array([int(2)])])",
        );
        check("*2\r\n*0\r\n*-1\r\n", "array([array([]), nil])");
        check(
            "%1\r\n+a\r\n:1\r\n",
            "map([(simple-string(\"a\"), int(1))])",
        );
        check("~1\r\n:1\r\n", "set([int(1)])");
        check("|1\r\n+a\r\n:1\r\n*1\r\n:2\r\n", "array([int(2)])");
    }

    #[test]
    fn what_is_no_value() {
        for bytes in [
            "",
            "\r\n",
            "x\r\n",
            "nonsense\r\n",
            "+OK\n",
            ":x\r\n",
            ":1",
            "$x\r\n",
            "$-7\r\n",
            "*-7\r\n",
            "$3\r\nabcd\r\n",
            "$3\r\nab",
            "*2\r\n:1\r\n",
            "*99999999999\r\n",
            "$999999999999\r\n",
            "$\r\n",
        ] {
            wrong(bytes);
        }
        wrong(&"*1\r\n".repeat(33));
        wrong(&"+".repeat(100_000));
    }
}
