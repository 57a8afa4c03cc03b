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

/// Never inlined, as the two functions below: while a poll waits, nothing is on its stack but what it needs then.
/// There are thousands of them.
#[inline(never)]
pub(super) fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Refusal> {
    Poll::begin(shared, request)?.end()
}

/// A poll that waits.
struct Poll {
    reader: Reader,
    limit: Duration,
    peer: Option<Peer>,
    callback: Option<String>,
}

impl Poll {
    #[inline(never)]
    fn begin(shared: &Arc<Shared>, mut request: Request) -> Result<Poll, Refusal> {
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
        Ok(Poll {
            reader: Reader::attach(shared, &hello)?,
            limit: shared.config.poll_timeout,
            peer: Peer::of(&request).cloned(),
            callback,
        })
    }

    #[inline(never)]
    fn end(mut self) -> Result<Response, Refusal> {
        let updates = self.wait()?;
        // What goes nowhere is for the next poll.
        if !self.has_hung_up() {
            self.reader.advance(&updates);
        }
        let updates = updates_as_json(&updates);
        Ok(in_the_form_asked_for(&updates, self.callback.as_deref()))
    }

    /// Waits for messages. None after the limit, or soon after the client has hung up.
    fn wait(&self) -> Result<Vec<Update>, Error> {
        let deadline = Instant::now() + self.limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let updates = self.reader.wait(left.min(LOOK_EVERY))?;
            if !updates.is_empty() || left <= LOOK_EVERY || self.has_hung_up() {
                return Ok(updates);
            }
        }
    }

    fn has_hung_up(&self) -> bool {
        self.peer.as_ref().is_some_and(Peer::has_hung_up)
    }
}

fn read_hello(request: &mut Request) -> Result<Hello, Refusal> {
    let body = request.body_mut();
    body.set_limit(LONGEST_HELLO);
    let bytes = body.read_to_vec();
    Hello::of_json(&bytes.map_err(|_| Refusal::Malformed("the hello did not come\n"))?)
}

#[inline(never)]
fn in_the_form_asked_for(updates: &str, callback: Option<&str>) -> Response {
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
