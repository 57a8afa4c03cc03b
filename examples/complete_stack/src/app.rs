//! What requests and sessions do, on green threads.

use crate::database::Database;
use greenwire::http::{IntoResponse, Response, StatusCode};
use greenwire::realtime::pubsub::Redis;
use greenwire::realtime::redis::{Client, Commands, Pool};
use greenwire::realtime::sockjs::{self, Session};
use greenwire::thread;
use std::error::Error;

type Answer = Result<String, Box<dyn Error + Send + Sync>>;

const CHANNEL: &str = "greenwire:votes";
const CACHED: &str = "greenwire:choices";
/// In seconds; a vote ends it before.
const CACHED_FOR: u64 = 5;

pub(crate) struct App {
    database: Database,
    cache: Pool,
    votes: Redis,
}

impl App {
    pub(crate) fn start(database: &str, redis: &str) -> Result<App, Box<dyn Error>> {
        Ok(App {
            database: Database::open(database)?,
            cache: Pool::new(Client::open(redis)?),
            votes: Redis::connect(redis)?,
        })
    }

    /// All choices, as JSON.
    pub(crate) fn choices(&self) -> Answer {
        let mut cache = self.cache.get()?;
        if let Some(cached) = cache.get(CACHED)? {
            return Ok(cached);
        }
        let choices = serde_json::to_string(&self.database.choices()?)?;
        let () = cache.set_ex(CACHED, &choices, CACHED_FOR)?;
        Ok(choices)
    }

    /// Counts a vote, and tells everybody.
    pub(crate) fn vote(&self, id: Option<&str>) -> Answer {
        let id = id.unwrap_or_default().parse()?;
        let choice = serde_json::to_string(&self.database.vote(id)?)?;
        let () = self.cache.get()?.del(CACHED)?;
        self.votes.publish(CHANNEL, &choice)?;
        Ok(choice)
    }

    /// Tells one browser what everybody votes.
    pub(crate) fn tell(&self, session: Session) -> Result<(), sockjs::Error> {
        let feed = self.votes.subscribe(CHANNEL);
        let (sender, mut receiver) = session.split();
        let relay = thread::spawn(move || {
            let mut votes = feed.messages();
            votes.try_for_each(|vote| sender.send(vote.as_text().unwrap_or_default()))
        });
        // It has nothing to say but that it ends.
        while let Ok(Some(_)) = receiver.receive() {}
        let _ = relay.cancel();
        Ok(())
    }
}

pub(crate) fn answer(answer: Answer) -> Response {
    match answer {
        Ok(json) => ([("content-type", "application/json")], json).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response(),
    }
}
