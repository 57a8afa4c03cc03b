//! The floor: a hand-written epoll loop on one thread, for these services and nothing else.
//!
//! Sockets are registered once, edge-triggered. All reads go into one buffer; only what is left of a
//! request that is not complete, or of an answer that the socket did not take, is kept with its connection.

#![allow(
    unreachable_pub,
    reason = "`pub` is easier on the reader, and nothing leaves a program"
)]

mod connection;
mod date;
mod event_loop;
mod http;
mod protocol;
mod websocket;

use event_loop::EventLoop;
use greenwire_bench_peers::serve::{Service, announce, listen, run};
use protocol::Protocol;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(None, |arguments| {
        let protocol = match arguments.service {
            Service::TcpEcho => Protocol::TcpEcho,
            Service::Http => Protocol::Http,
            Service::WebsocketEcho => Protocol::Handshake,
            Service::Broadcast | Service::SocketIo => return arguments.not_offered(),
        };
        let listener = listen(arguments)?;
        announce(&listener)?;
        EventLoop::new(listener, protocol)?.run()
    })
}
