//! SockJS on raw bytes: what sockjs-protocol 0.3.3 asks of a server, and what a server asks of its clients.
//!
//! The protocol's own suite runs against the example `sockjs_services`, the unmodified client against the
//! workspace's example `sockjs_chat`; here is what both ask, so that it is known without them.

mod client;
mod endings;
mod headers;
mod limits;
mod pages;
mod polling;
mod storm;
mod streaming;
mod styles;
mod websocket;

use greenwire_http::{Handler, Router, Server};
use greenwire_realtime::sockjs::{Config, Error, Service, Session, Transport};
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a server that lives as long as the test program.
fn start(handler: impl Handler) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve_handler(handler));
    addr
}

/// With so much patience that a machine that stands still for a while changes nothing.
fn steady() -> Config {
    Config::default().disconnect_delay(Duration::from_secs(300))
}

/// One service at `/x`.
fn serve(service: Service) -> SocketAddr {
    start(Router::new().mount("/x", service))
}

/// The services that sockjs-protocol asks for.
fn services() -> SocketAddr {
    let small = || steady().response_limit(4096);
    let close = steady().service(|session| session.close(3000, "Go away!"));
    start(
        Router::new()
            .mount("/echo", small().service(echo))
            .mount("/cookie_needed_echo", small().cookie(true).service(echo))
            .mount(
                "/disabled_websocket_echo",
                small().disable(Transport::Websocket).service(echo),
            )
            .mount("/close", close),
    )
}

fn echo(mut session: Session) -> Result<(), Error> {
    while let Some(message) = session.receive()? {
        session.send(message)?;
    }
    Ok(())
}
