//! The transport over requests: those that receive, and those that send.

use super::CloseReason;
use super::connection::{Connection, Post};
use super::protocol::packet::packets;
use super::protocol::request::Refusal;
use super::service::{refuse, text};
use greenwire_http::header::CONTENT_TYPE;
use greenwire_http::{Error, IntoResponse, Peer, Request, Response, StatusCode};
use std::sync::Arc;

/// Answers a request that receives, once there is something.
pub(super) fn receive(connection: &Arc<Connection>, request: &Request) -> Response {
    let poll = connection.poll(Peer::of(request).cloned());
    match poll.map(super::connection::Poll::answer) {
        Ok(Some(body)) => text(StatusCode::OK, body),
        // Nobody reads the answer to one who has hung up.
        Ok(None) | Err(_) => refuse(Refusal::BadRequest),
    }
}

/// Answers a request that sends, once all of it has been taken.
pub(super) fn send(connection: &Arc<Connection>, mut request: Request) -> Response {
    let Ok(post) = connection.post() else {
        return refuse(Refusal::BadRequest);
    };
    match read(&mut request) {
        Ok(body) if take(&post, &body).is_ok() => {
            let html = "text/html";
            ([(CONTENT_TYPE, html)], "ok").into_response()
        }
        Ok(_) | Err(Error::NotUtf8) => {
            connection.close(CloseReason::ParseError);
            refuse(Refusal::BadRequest)
        }
        Err(error @ Error::BodyTooLarge { .. }) => error.into_response(),
        Err(error) => {
            connection.close(CloseReason::TransportError);
            error.into_response()
        }
    }
}

fn read(request: &mut Request) -> Result<String, Error> {
    let content_type = request.headers().get(CONTENT_TYPE);
    if content_type.is_some_and(|value| value == "application/octet-stream") {
        // That was how older protocols sent bytes.
        return Err(Error::NotUtf8);
    }
    request.body_mut().read_text()
}

/// Takes all packets up to the first that is none.
fn take(post: &Post, body: &str) -> Result<(), super::protocol::packet::Malformed> {
    for packet in packets(body) {
        post.connection().receive(packet?)?;
    }
    Ok(())
}
