//! Server-sent events: one for each batch of messages. Its id is all that is needed to go on after it.

use super::hello::{self, Hello};
use super::{Refusal, position_as_json, updates_as_json};
use crate::comet::reader::Reader;
use crate::comet::shared::Shared;
use greenwire_http::sse::{self, Event};
use greenwire_http::{Body, IntoResponse, Method, Request, Response};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// Never inlined, since polls wait below the caller.
#[inline(never)]
pub(super) fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::Method("GET"));
    }
    let (mut hello, _) = Hello::of_query(&request)?;
    // A browser that connects again by itself sends the query of its first request.
    if let Some(cursors) = sse::last_event_id(&request) {
        hello.cursors = hello::cursors(cursors)?;
    }
    let reader = Reader::attach(shared, &hello)?;
    let heartbeat = shared.config.heartbeat;
    let headers = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        // nginx would wait for more.
        ("x-accel-buffering", "no"),
    ];
    let body = Body::writer(move |out| relay(reader, heartbeat, out));
    Ok((headers, body).into_response())
}

/// Until the connection fails, which a heartbeat finds out at the latest, or the client is killed.
fn relay(mut reader: Reader, heartbeat: Duration, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b":\n\n")?;
    out.flush()?;
    while let Ok(updates) = reader.wait(heartbeat) {
        if updates.is_empty() {
            out.write_all(b":\n\n")?;
            out.flush()?;
            continue;
        }
        reader.go_on_after(&updates);
        let id = position_as_json(reader.position());
        let event = Event::new(updates_as_json(&updates)).id(id);
        out.write_all(format!("{event}\n").as_bytes())?;
        out.flush()?;
        reader.acknowledge(&updates);
    }
    Ok(())
}
