//! What was said, in a list of Redis.

use greenwire::http::Json;
use greenwire::realtime::redis::{Client, Commands, Pool, RedisResult, pipe};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where each line is published.
pub(crate) const CHANNEL: &str = "greenwire:chat";
const LINES: &str = "greenwire:chat:lines";
const LAST_NUMBER: &str = "greenwire:chat:last_number";
/// How many lines are kept.
const KEPT: isize = 500;

#[derive(Clone)]
pub(crate) struct Log(Pool);

impl Log {
    pub(crate) fn open(url: &str) -> RedisResult<Log> {
        Ok(Log(Pool::new(Client::open(url)?)))
    }

    pub(crate) fn lines(&self) -> RedisResult<Vec<Value>> {
        let lines: Vec<String> = self.0.get()?.lrange(LINES, 0, -1)?;
        let lines = lines.iter().map(|line| serde_json::from_str(line));
        Ok(lines.filter_map(Result::ok).collect())
    }

    /// Keeps a line and publishes it: both or neither, and everybody in the same order.
    pub(crate) fn say(&self, said: &[u8]) -> RedisResult<()> {
        let said: Value = Json::from_bytes(said).unwrap_or_default().0;
        let (Some(name), Some(text)) = (said["name"].as_str(), said["text"].as_str()) else {
            return Ok(());
        };
        let mut redis = self.0.get()?;
        let number: u64 = redis.incr(LAST_NUMBER, 1)?;
        let line = json!({"number": number, "name": name, "text": text, "at": now()}).to_string();
        let mut commands = pipe();
        commands
            .atomic()
            .rpush(LINES, &line)
            .publish(CHANNEL, &line);
        commands.ltrim(LINES, -KEPT, -1).exec(&mut *redis)
    }
}

/// What the page shows when something is wrong.
pub(crate) fn problem(text: &str) -> String {
    json!({ "problem": text }).to_string()
}

/// In milliseconds, as JavaScript counts.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
