//! The first thing that a reader says: for whom it reads, and from where on.

use super::Refusal;
use greenwire_http::{Request, RequestExt};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Between a client's id and its key.
const DELIMITER: &str = "_!!_";

/// For how many clients one reader may read.
const MOST_CLIENTS: usize = 100;

#[derive(Debug, PartialEq)]
pub(in crate::comet) struct Hello {
    /// Ids and keys.
    pub(in crate::comet) clients: Vec<(String, String)>,
    /// The ids of the last messages that were got, by the channel's name.
    pub(in crate::comet) cursors: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct AsJson {
    clients: BTreeMap<String, String>,
    #[serde(default)]
    cursors: BTreeMap<String, u64>,
}

impl Hello {
    /// That of a query, with the name of the function to be called, if one is given.
    pub(super) fn of_query(request: &Request) -> Result<(Hello, Option<String>), Refusal> {
        let pairs: Vec<(String, String)> = request
            .query()
            .map_err(|_| Refusal::Malformed("malformed query\n"))?;
        let mut callback = None;
        let mut hello = Hello {
            clients: Vec::new(),
            cursors: BTreeMap::new(),
        };
        for (name, value) in pairs {
            match &*name {
                "client_id" => hello.clients.push(client(&value)?),
                "cursors" => hello.cursors = cursors(&value)?,
                "callback" => callback = Some(value),
                // Such as `ts`, which only keeps caches away.
                _ => {}
            }
        }
        Ok((hello.check()?, callback))
    }

    pub(super) fn of_json(bytes: &[u8]) -> Result<Hello, Refusal> {
        let malformed = |_| Refusal::Malformed("a hello is {\"clients\": {\"ID\": \"KEY\"}}\n");
        let hello: AsJson = serde_json::from_slice(bytes).map_err(malformed)?;
        let hello = Hello {
            clients: hello.clients.into_iter().collect(),
            cursors: hello.cursors,
        };
        hello.check()
    }

    fn check(self) -> Result<Hello, Refusal> {
        match self.clients.len() {
            1..=MOST_CLIENTS => Ok(self),
            0 => Err(Refusal::Malformed("no client_id\n")),
            _ => Err(Refusal::Malformed("more than 100 clients\n")),
        }
    }
}

fn client(text: &str) -> Result<(String, String), Refusal> {
    // A key has none, an id may.
    let parts = text.rsplit_once(DELIMITER);
    let (id, key) = parts.ok_or(Refusal::Malformed("a client_id is ID_!!_KEY\n"))?;
    Ok((id.to_owned(), key.to_owned()))
}

pub(super) fn cursors(text: &str) -> Result<BTreeMap<String, u64>, Refusal> {
    serde_json::from_str(text)
        .map_err(|_| Refusal::Malformed("cursors are {\"CHANNEL\": LAST_ID}\n"))
}
