//! The transports over HTTP: requests that take frames, and requests that bring messages.

use super::pages::{PLAIN, answer};
use super::polled::{Polled, Receiving};
use super::protocol::frame::{Close, Frame};
use super::protocol::json;
use super::protocol::wrapping::Wrapping;
use crate::jsonp;
use greenwire_http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use greenwire_http::{
    Body, BodyWriter, Error, HeaderValue, IntoResponse, Request, RequestExt, Response, StatusCode,
};
use serde::Deserialize;
use std::io::{self, Write};

/// What a request that takes frames gets.
pub(super) enum Reception {
    Frames(Receiving),
    /// This one frame.
    Refusal(Close),
}

/// The response with frames. That of a polling transport waits here for its one frame; that of a streaming one
/// begins at once.
pub(super) fn receive(reception: Reception, wrapping: Wrapping, response_limit: usize) -> Response {
    let content_type = wrapping.content_type();
    let body = match (wrapping.is_streaming(), reception) {
        (true, reception) => {
            Body::writer(move |out| stream(reception, &wrapping, response_limit, out))
        }
        (false, Reception::Refusal(close)) => wrapping.wrap(Frame::Close(close).encode()).into(),
        (false, Reception::Frames(receiving)) => {
            let frame = receiving.next_frame(response_limit);
            receiving.complete();
            wrapping.wrap(frame.encode()).into()
        }
    };
    let mut response = answer(StatusCode::OK, content_type, body);
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Each frame is one write, so that it is one chunk; the flush tells of a lost client.
fn stream(
    reception: Reception,
    wrapping: &Wrapping,
    response_limit: usize,
    out: &mut BodyWriter<'_>,
) -> io::Result<()> {
    out.write_all(&wrapping.prelude())?;
    let receiving = match reception {
        Reception::Frames(receiving) => receiving,
        Reception::Refusal(close) => {
            return out.write_all(wrapping.wrap(Frame::Close(close).encode()).as_bytes());
        }
    };
    let mut left = response_limit;
    while left > 0 {
        let frame = receiving.next_frame(left);
        let wrapped = wrapping.wrap(frame.encode());
        out.write_all(wrapped.as_bytes())?;
        out.flush()?;
        left = match frame {
            Frame::Close(_) => 0,
            _ => left.saturating_sub(wrapped.len()),
        };
    }
    receiving.complete();
    Ok(())
}

/// The query of a transport whose frames call a function.
#[derive(Deserialize)]
struct Callback {
    c: Option<String>,
    callback: Option<String>,
}

/// The function that frames have to call, or what is wrong with it.
pub(super) fn callback(request: &Request) -> Result<String, &'static str> {
    const INVALID: &str = "invalid \"callback\" parameter";
    let Callback { c, callback } = request.query().map_err(|_| INVALID)?;
    let name = c.or(callback).filter(|name| !name.is_empty());
    let name = name.ok_or("\"callback\" parameter required")?;
    jsonp::is_callback(&name).then_some(name).ok_or(INVALID)
}

/// How a request that brings messages is written, and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bringing {
    Xhr,
    Jsonp,
}

/// Takes the messages of a request.
pub(super) fn bring(request: &mut Request, session: &Polled, bringing: Bringing) -> Response {
    let _turn = session.turn_to_send();
    let body = match read(request, bringing) {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    if body.is_empty() {
        return failure("Payload expected.");
    }
    let Ok(messages) = json::messages(&body) else {
        return failure("Broken JSON encoding.");
    };
    session.deliver(messages);
    match bringing {
        Bringing::Xhr => answer(StatusCode::NO_CONTENT, PLAIN, Body::empty()),
        // Some browsers do not bear 204 as the answer to a form.
        Bringing::Jsonp => answer(StatusCode::OK, PLAIN, "ok"),
    }
}

/// The JSON in a request, whatever type it claims to be of: old browsers cannot choose.
fn read(request: &mut Request, bringing: Bringing) -> Result<Vec<u8>, Error> {
    #[derive(Deserialize)]
    struct Form {
        d: Option<String>,
    }

    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_form =
        content_type.is_some_and(|text| text.starts_with("application/x-www-form-urlencoded"));
    if bringing == Bringing::Jsonp && is_form {
        let form: Form = request.form()?;
        return Ok(form.d.unwrap_or_default().into_bytes());
    }
    request.body_mut().read_to_vec()
}

/// The protocol has 500 for what is the client's fault.
pub(super) fn failure(what: &'static str) -> Response {
    answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, what)
}
