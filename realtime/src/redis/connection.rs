//! One connection: a command, then its answer.

use super::reader::Reader;
use ::redis::{Arg, Cmd, ConnectionLike, RedisError, RedisResult, Value, cmd};
use greenwire_net::Stream;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// A connection to a server, for all of [`Commands`](super::Commands).
///
/// Whatever cuts an answer short, an error, a limit or a cancellation, leaves it
/// [closed](ConnectionLike::is_open): nobody could tell to which command the next answer belongs.
pub struct Connection {
    stream: Stream,
    reader: Reader,
    db: i64,
    /// No answer is owed.
    is_open: bool,
    response_timeout: Option<Duration>,
}

impl Connection {
    pub(super) fn new(stream: Stream, db: i64) -> Connection {
        Connection {
            stream,
            reader: Reader::default(),
            db,
            is_open: true,
            response_timeout: None,
        }
    }

    /// As [`Client::response_timeout`](super::Client::response_timeout), for this connection from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_response_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(timeout)?;
        self.stream.set_write_timeout(timeout)?;
        self.response_timeout = timeout;
        Ok(())
    }

    /// Whether the server has closed it meanwhile.
    pub(super) fn has_hung_up(&self) -> bool {
        self.stream.has_hung_up()
    }

    /// The parts, for those who do not send commands and await answers.
    pub(crate) fn into_parts(self) -> (Stream, Reader) {
        (self.stream, self.reader)
    }

    /// Sends commands and takes as many answers. Errors of the server are among them.
    fn exchange(&mut self, commands: &[u8], answers: usize) -> RedisResult<Vec<Value>> {
        if !self.is_open {
            let what = "the connection is closed, since an answer was cut short: make another one";
            return Err(io::Error::new(io::ErrorKind::NotConnected, what).into());
        }
        self.is_open = false;
        let written = self.stream.write_all(commands);
        written.map_err(|error| in_words(error.into()))?;
        let answers = (0..answers).map(|_| self.answer());
        let answers = answers.collect::<RedisResult<_>>()?;
        self.is_open = true;
        self.reader.rest();
        Ok(answers)
    }

    fn answer(&mut self) -> RedisResult<Value> {
        loop {
            match self.reader.value(&mut &self.stream) {
                // Nobody has asked for that.
                Ok(Value::Push { .. }) => {}
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(in_words(error)),
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        let answers = self.exchange(command, 1)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut answers = self.exchange(commands, offset + count)?;
        let wanted = answers.split_off(offset);
        // Of a transaction: why it is going to be refused.
        for answer in answers {
            answer.extract_error()?;
        }
        Ok(wanted)
    }

    fn req_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        let packed = command.get_packed_command();
        if !is_meant_to_wait(command) {
            return self.req_packed_command(&packed);
        }
        self.stream.set_read_timeout(None)?;
        let answer = self.req_packed_command(&packed);
        self.stream.set_read_timeout(self.response_timeout)?;
        answer
    }

    fn get_db(&self) -> i64 {
        self.db
    }

    fn check_connection(&mut self) -> bool {
        cmd("PING").query::<Value>(self).is_ok()
    }

    fn is_open(&self) -> bool {
        self.is_open && !self.has_hung_up()
    }
}

/// Whether the server answers a command only when something has happened.
fn is_meant_to_wait(command: &Cmd) -> bool {
    let mut words = command.args_iter().map(|arg| match arg {
        Arg::Simple(word) => word.to_ascii_uppercase(),
        _ => Vec::new(),
    });
    match words.next().as_deref() {
        Some(
            b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX"
            | b"BZMPOP" | b"WAIT" | b"WAITAOF",
        ) => true,
        Some(b"XREAD" | b"XREADGROUP") => words.any(|word| word == b"BLOCK"),
        _ => false,
    }
}

/// On the socket, a limit that has passed is no more than `WouldBlock`.
fn in_words(error: RedisError) -> RedisError {
    match error.is_timeout() {
        true => io::Error::new(
            io::ErrorKind::TimedOut,
            "the server does not answer in time",
        )
        .into(),
        false => error,
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("is_open", &self.is_open)
            .finish_non_exhaustive()
    }
}
