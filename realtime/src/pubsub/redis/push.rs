//! What Redis is told on the connection of all subscriptions, and what it says there. Does no I/O.

use super::interest::Command;
use crate::pubsub::Filter;
use crate::pubsub::pattern::matches;
use ::redis::{RedisError, Value, cmd};
use std::collections::{BTreeSet, HashSet};

/// The bytes of commands: one for each filter, so that each answer is about one.
pub(super) fn encode(commands: &[Command]) -> Vec<u8> {
    let packed = commands.iter().flat_map(|command| {
        let mut bytes = cmd(word_of(command));
        bytes.arg(text_of(&command.0)).get_packed_command()
    });
    packed.collect()
}

fn word_of(command: &Command) -> &'static str {
    match command {
        (Filter::Topic(_), true) => "SUBSCRIBE",
        (Filter::Topic(_), false) => "UNSUBSCRIBE",
        (Filter::Pattern(_), true) => "PSUBSCRIBE",
        (Filter::Pattern(_), false) => "PUNSUBSCRIBE",
    }
}

fn text_of(filter: &Filter) -> &str {
    match filter {
        Filter::Topic(text) | Filter::Pattern(text) => text,
    }
}

/// Something that Redis says.
#[derive(Debug)]
pub(super) enum Push {
    /// A command is done.
    Answer,
    /// A command is refused.
    Refusal(RedisError),
    Message {
        topic: String,
        payload: Vec<u8>,
    },
    /// Nothing of interest.
    Other,
}

/// Understands what Redis says on one connection.
///
/// A message comes once for its topic, and once for each pattern that means it. One of these copies counts.
#[derive(Default)]
pub(super) struct Pushes {
    topics: HashSet<Vec<u8>>,
    patterns: BTreeSet<Vec<u8>>,
}

impl Pushes {
    pub(super) fn understand(&mut self, said: Value) -> Push {
        let parts = match said {
            // The latter in version 3 of the protocol.
            Value::Array(parts) | Value::Push { data: parts, .. } => parts,
            Value::ServerError(error) => return Push::Refusal(error.into()),
            _ => return Push::Other,
        };
        let mut texts = parts.into_iter().map_while(|part| match part {
            Value::BulkString(text) => Some(text),
            _ => None,
        });
        let kind = texts.next().unwrap_or_default();
        match (&kind[..], texts.next(), texts.next(), texts.next()) {
            (b"message", Some(topic), Some(payload), _) => message(&topic, payload),
            (b"pmessage", Some(pattern), Some(topic), Some(payload))
                if self.counts(&pattern, &topic) =>
            {
                message(&topic, payload)
            }
            (kind, Some(text), ..) => self.answer(kind, text),
            _ => Push::Other,
        }
    }

    /// Whether this is the copy that counts, of a message that has come for a pattern.
    fn counts(&self, pattern: &[u8], topic: &[u8]) -> bool {
        let mut patterns = self.patterns.iter();
        let first = patterns.find(|pattern| matches(pattern, topic));
        !self.topics.contains(topic) && first.is_some_and(|first| first == pattern)
    }

    fn answer(&mut self, kind: &[u8], text: Vec<u8>) -> Push {
        match kind {
            b"subscribe" => _ = self.topics.insert(text),
            b"unsubscribe" => _ = self.topics.remove(&text),
            b"psubscribe" => _ = self.patterns.insert(text),
            b"punsubscribe" => _ = self.patterns.remove(&text),
            _ => return Push::Other,
        }
        Push::Answer
    }
}

fn message(topic: &[u8], payload: Vec<u8>) -> Push {
    let topic = String::from_utf8_lossy(topic).into_owned();
    Push::Message { topic, payload }
}

#[cfg(test)]
mod tests {
    use super::{Push, Pushes, encode};
    use crate::pubsub::{Filter, pattern};
    use ::redis::{PushKind, Value, parse_redis_value};

    /// What is understood of these words, as text.
    fn understood(pushes: &mut Pushes, words: &[&str]) -> String {
        let texts = words
            .iter()
            .map(|word| Value::BulkString(word.as_bytes().to_vec()));
        match pushes.understand(Value::Array(texts.collect())) {
            Push::Message { topic, payload } => {
                format!("{topic}: {}", String::from_utf8(payload).unwrap())
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn answers_and_messages() {
        let mut pushes = Pushes::default();
        let mut check =
            |words: &[&str], expected| assert_eq!(understood(&mut pushes, words), expected);
        check(&["subscribe", "news"], "Answer");
        check(&["psubscribe", "n*"], "Answer");
        check(&["unsubscribe", "news"], "Answer");
        check(&["punsubscribe", "n*"], "Answer");
        check(&["message", "news", "hello"], "news: hello");
        check(&["pong", ""], "Other");
        check(&["message", "news"], "Other");
        check(&["pmessage", "n*"], "Other");
        check(&[], "Other");
    }

    #[test]
    fn one_copy_of_a_message_counts() {
        let mut pushes = Pushes::default();
        let mut say = |words: &[&str]| understood(&mut pushes, words);
        say(&["psubscribe", "n*"]);
        say(&["psubscribe", "*s"]);
        let copies = [
            ["pmessage", "n*", "news", "1"],
            ["pmessage", "*s", "news", "1"],
        ];
        assert_eq!(copies.map(|copy| say(&copy)), ["Other", "news: 1"]);
        say(&["subscribe", "news"]);
        assert_eq!(say(&["message", "news", "2"]), "news: 2");
        assert_eq!(copies.map(|copy| say(&copy)), ["Other", "Other"]);
        assert_eq!(say(&["pmessage", "n*", "new", "3"]), "new: 3");
        say(&["unsubscribe", "news"]);
        say(&["punsubscribe", "*s"]);
        assert_eq!(say(&copies[0]), "news: 1");
    }

    #[test]
    fn both_versions_of_the_protocol_say_the_same() {
        let words = ["message", "news", "hello"];
        let texts = words.map(|word| Value::BulkString(word.into()));
        let pushed = Value::Push {
            kind: PushKind::Message,
            data: texts.into(),
        };
        let said = Pushes::default().understand(pushed);
        assert!(matches!(said, Push::Message { topic, .. } if topic == "news"));
    }

    #[test]
    fn a_refusal_is_an_error() {
        let refusal = parse_redis_value(b"-NOPERM not that channel\r\n").unwrap();
        let said = Pushes::default().understand(refusal);
        assert!(matches!(said, Push::Refusal(_)), "{said:?}");
    }

    #[test]
    fn there_is_a_command_for_each_filter_in_their_order() {
        let filters: [Filter; 3] = ["a".into(), "b".into(), pattern("*")];
        let [a, b, all] = filters;
        let commands = [(a.clone(), true), (b, true), (all, true), (a, false)];
        let bytes = String::from_utf8(encode(&commands)).unwrap();
        let words: Vec<_> = bytes
            .split("\r\n")
            .filter(|word| !word.starts_with(['$']))
            .collect();
        let expected = "*2 SUBSCRIBE a *2 SUBSCRIBE b *2 PSUBSCRIBE * *2 UNSUBSCRIBE a ";
        assert_eq!(words.join(" "), expected);
        assert!(encode(&[]).is_empty());
    }
}
