//! The long poll: a request that is answered when there is something to say.

use super::hello::Hello;
use super::{Refusal, updates_as_json};
use crate::comet::Error;
use crate::comet::hub::Update;
use crate::comet::reader::Reader;
use crate::comet::shared::Shared;
use crate::jsonp;
use greenwire_http::{IntoResponse, Method, Peer, Request, Response};
use greenwire_runtime::time::{Duration, Instant};
use std::sync::Arc;

/// The most bytes of a hello.
const LONGEST_HELLO: u64 = 64 << 10;

/// How often a poll looks whether anybody still waits for its answer.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) fn answer(shared: &Arc<Shared>, mut request: Request) -> Result<Response, Refusal> {
    let (hello, callback) = match *request.method() {
        Method::GET => Hello::of_query(&request)?,
        Method::POST => (read_hello(&mut request)?, None),
        _ => return Err(Refusal::Method("GET, POST")),
    };
    if let Some(callback) = &callback
        && !jsonp::is_callback(callback)
    {
        return Err(Refusal::Malformed("malformed callback\n"));
    }
    let peer = Peer::of(&request).cloned();
    // Thousands wait at a time: none of them keeps what it does not need any more.
    drop(request);
    let mut reader = Reader::attach(shared, &hello)?;
    drop(hello);
    let has_hung_up = || peer.as_ref().is_some_and(Peer::has_hung_up);
    let updates = wait(&reader, shared.config.poll_timeout, has_hung_up)?;
    // What goes nowhere is for the next poll.
    if !has_hung_up() {
        reader.advance(&updates);
    }
    Ok(in_the_form_asked_for(&updates_as_json(&updates), callback))
}

/// Waits for messages. None after `limit`, or soon after the client has hung up.
fn wait(
    reader: &Reader,
    limit: Duration,
    has_hung_up: impl Fn() -> bool,
) -> Result<Vec<Update>, Error> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let updates = reader.wait(left.min(LOOK_EVERY))?;
        if !updates.is_empty() || left <= LOOK_EVERY || has_hung_up() {
            return Ok(updates);
        }
    }
}

fn read_hello(request: &mut Request) -> Result<Hello, Refusal> {
    let body = request.body_mut();
    body.set_limit(LONGEST_HELLO);
    let bytes = body.read_to_vec();
    Hello::of_json(&bytes.map_err(|_| Refusal::Malformed("the hello did not come\n"))?)
}

fn in_the_form_asked_for(updates: &str, callback: Option<String>) -> Response {
    let (content_type, body) = match callback {
        Some(callback) => (
            "application/x-javascript",
            format!("{callback}({updates});"),
        ),
        None => ("application/json", updates.to_owned()),
    };
    let headers = [
        ("content-type", content_type),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
    ];
    (headers, body).into_response()
}
