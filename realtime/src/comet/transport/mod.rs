//! How messages get to browsers. All transports begin with a [`Hello`](hello::Hello), and give the same updates.

mod events;
pub(super) mod hello;
mod poll;
mod websocket;

use super::hub::{Position, Update};
use super::shared::Shared;
use super::{Error, json};
use greenwire_http::middleware::Cors;
use greenwire_http::{Handler, IntoResponse, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// What pages may read of, by their paths.
#[derive(Debug)]
pub(super) struct Transports(Arc<Shared>);

/// For how long a browser remembers which headers it may send.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

impl Transports {
    pub(super) fn new(shared: &Arc<Shared>) -> Cors<Transports> {
        let cors = Cors::new(Transports(shared.clone()))
            .headers(["content-type", "last-event-id"])
            .max_age(PREFLIGHT_AGE);
        match &shared.config.origins {
            None => cors.any_origin(),
            Some(origins) => origins
                .iter()
                .fold(cors, |cors, origin| cors.origin(origin)),
        }
    }

    pub(super) fn serves(path: &str) -> bool {
        ["/message_updates", "/events", "/websocket"].contains(&path)
    }
}

impl Handler for Transports {
    fn call(&self, request: Request) -> Response {
        let answer = match request.uri().path() {
            "/events" => events::answer(&self.0, request),
            "/websocket" => Ok(websocket::answer(&self.0, request)),
            _ => poll::answer(&self.0, request),
        };
        answer.into_response()
    }
}

/// Why nothing is sent.
#[derive(Debug)]
enum Refusal {
    Malformed(&'static str),
    Method(&'static str),
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Failed(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Malformed(why) => (StatusCode::BAD_REQUEST, why).into_response(),
            Refusal::Method(allow) => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                (status, [("allow", allow)], "method not allowed\n").into_response()
            }
            // As Shaveet says it.
            Refusal::Failed(Error::UnknownClient) => {
                (StatusCode::NOT_FOUND, "Not Found\r\n").into_response()
            }
            Refusal::Failed(error) => {
                (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
            }
        }
    }
}

/// `{"CHANNEL": [[id, "message", "sender"], …], …}`.
fn updates_as_json(updates: &[Update]) -> String {
    let channel = |update: &Update| {
        let name = json::to_string(&*update.channel);
        format!("{name}: [{}]", update.messages.join(", "))
    };
    let channels: Vec<String> = updates.iter().map(channel).collect();
    format!("{{{}}}", channels.join(", "))
}

/// `{"CHANNEL": LAST_ID, …}`.
fn position_as_json(position: &Position) -> String {
    let channel = |(name, last): (&Arc<str>, &u64)| format!("{}: {last}", json::to_string(&**name));
    let channels: Vec<String> = position.iter().map(channel).collect();
    format!("{{{}}}", channels.join(", "))
}
