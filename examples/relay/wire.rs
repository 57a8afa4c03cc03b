//! The JSON between browser and server: commands in, messages out. Does no I/O.
//!
//! | from the browser | meaning |
//! |---|---|
//! | `{"series":["cpu","memory"],"every_ms":100}` | send me these, this often; no series: none |
//! | `{"chat":"hello","name":"Ann"}` | tell everybody |
//!
//! | from the server | meaning |
//! |---|---|
//! | `{"hello":{"id","mode","series"}}` | once: who you are, what can be had |
//! | `{"sample":{"seq","taken","due","sent","people","values"}}` | times in Unix milliseconds, values in percent |
//! | `{"chat":{"name","text","at"}}` | somebody said something |
//! | `{"error":"..."}` | a command made no sense |

use crate::load::{SERIES, available};
use crate::relay::Sample;
use greenwire::http::Json;
use greenwire::websocket::Message;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A command has at most this many bytes; a longer one closes the connection.
pub const LONGEST_COMMAND: usize = 4096;

const LONGEST_LINE: usize = 500;
const LONGEST_NAME: usize = 32;
const EVERY_MS: std::ops::RangeInclusive<u64> = 10..=3_600_000;

/// What a browser asks for.
pub enum Command {
    Watch(Choice),
    Say { name: String, text: String },
}

/// Which series a subscriber gets, and how often.
#[derive(Clone, Copy)]
pub struct Choice {
    pub series: Series,
    pub every: Duration,
}

/// A set of indices into [`SERIES`], one bit for each.
#[derive(Clone, Copy)]
pub struct Series(u8);

impl Series {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }
}

impl Command {
    /// The error is a sentence for whoever wrote the command.
    pub fn parse(message: &Message) -> Result<Command, String> {
        let text = message.as_text().ok_or("a command is text, not binary")?;
        let command = Json::<Map<String, Value>>::from_bytes(text.as_bytes());
        let Json(command) = command.map_err(|error| format!("not a JSON object: {error}"))?;
        if let Some(line) = command.get("chat") {
            let text = words(line, "chat", LONGEST_LINE)?;
            let name = match command.get("name") {
                Some(name) => words(name, "name", LONGEST_NAME)?,
                None => "somebody".to_owned(),
            };
            Ok(Command::Say { name, text })
        } else if let (Some(series), Some(every)) = (command.get("series"), command.get("every_ms"))
        {
            Ok(Command::Watch(Choice {
                series: parse_series(series)?,
                every: parse_every(every)?,
            }))
        } else {
            Err("a command has `series` and `every_ms`, or `chat`".to_owned())
        }
    }
}

/// Text of at most `limit` characters; line breaks and the like become spaces.
fn words(value: &Value, what: &str, limit: usize) -> Result<String, String> {
    let text = value.as_str().ok_or(format!("`{what}` is a string"))?;
    let text = text.replace(char::is_control, " ");
    match text.trim() {
        "" => Err(format!("`{what}` is empty")),
        text if text.chars().count() > limit => {
            Err(format!("`{what}` is longer than {limit} characters"))
        }
        text => Ok(text.to_owned()),
    }
}

fn parse_series(value: &Value) -> Result<Series, String> {
    let mut series = Series(0);
    for name in value.as_array().ok_or("`series` is a list")? {
        let known = |known: &&str| name.as_str() == Some(known);
        let index = SERIES.iter().position(known);
        series.0 |= 1 << index.ok_or_else(|| format!("no series is called {name}"))?;
    }
    Ok(series)
}

fn parse_every(value: &Value) -> Result<Duration, String> {
    let every = value.as_u64().filter(|every| EVERY_MS.contains(every));
    let every = every.ok_or_else(|| {
        format!(
            "`every_ms` is a whole number from {} to {}",
            EVERY_MS.start(),
            EVERY_MS.end()
        )
    })?;
    Ok(Duration::from_millis(every))
}

pub fn hello(id: u64, threads: bool) -> String {
    let mode = if threads {
        "OS threads"
    } else {
        "green threads"
    };
    json!({"hello": {"id": id, "mode": mode, "series": available()}}).to_string()
}

pub fn chat(name: &str, text: &str) -> String {
    json!({"chat": {"name": name, "text": text, "at": unix_ms(Instant::now())}}).to_string()
}

pub fn error(why: &str) -> String {
    json!({"error": why}).to_string()
}

/// `due` is when it was to be sent, so that whoever gets it can tell how late it is.
pub fn sample(sample: &Sample, choice: &Choice, due: Instant, people: usize) -> String {
    let chosen = SERIES.iter().zip(sample.values).enumerate();
    let chosen = chosen.filter(|(index, _)| choice.series.contains(*index));
    let values: Map<String, Value> = chosen
        .filter_map(|(_, (name, value))| Some(((*name).to_owned(), json!(round(value?, 100.0)))))
        .collect();
    json!({"sample": {
        "seq": sample.number,
        "taken": unix_ms(sample.taken),
        "due": unix_ms(due),
        "sent": unix_ms(Instant::now()),
        "people": people,
        "values": values,
    }})
    .to_string()
}

/// An instant on the wall clock, in milliseconds with three decimals.
fn unix_ms(instant: Instant) -> f64 {
    let age = instant.elapsed();
    let ahead = instant.saturating_duration_since(Instant::now());
    let wall = (SystemTime::now() + ahead - age).duration_since(UNIX_EPOCH);
    round(wall.unwrap_or_default().as_secs_f64() * 1000.0, 1000.0)
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
