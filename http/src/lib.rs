//! An HTTP/1.1 server for green threads: WSGI's handler, in Rust, written like blocking code.
//!
//! ```no_run
//! use greenwire_http::Server;
//!
//! fn main() -> std::io::Result<()> {
//!     Server::bind("127.0.0.1:8088")?.serve(|_| "hello")
//! }
//! ```
//!
//! Each connection has a green thread of its own (or an ordinary OS thread, if those are what
//! `thread::spawn` makes). A handler may sleep, wait for others or read and write slowly: that is
//! nobody else's problem. Types are those of the [`http`] crate.
//!
//! ```
//! use greenwire_http::{Error, Request, StatusCode};
//! use std::io::Read;
//!
//! fn upload(mut request: Request) -> Result<(StatusCode, String), Error> {
//!     let mut first = [0; 4];
//!     request.body_mut().read_exact(&mut first)?;
//!     let rest = request.body_mut().read_to_vec()?; // too large: `?` answers 413
//!     Ok((StatusCode::CREATED, format!("{} bytes", 4 + rest.len())))
//! }
//! # let _ = upload;
//! ```
//!
//! # The life of a request
//!
//! ```text
//!  park until readable -> borrow a buffer -> head -> Handler::call -> Response -> gather -> write
//!        ^  (an idle connection owns no      |           |                          |
//!        |   buffer, only its thread)        |           +-- reads the body, if any |
//!        |                                   +-- broken: 4xx or 505, close          |
//!        +----------------------- keep-alive ---------------------------------------+
//! ```
//!
//! 1. The connection parks. It sends first what it has gathered.
//! 2. The head is parsed strictly by RFC 9112: whatever two parsers may read differently is
//!    refused, and the connection closed. That leaves no room for request smuggling.
//! 3. The handler gets a [`Request`]; [`Peer::of`] says who asks. The body is still in
//!    the socket and comes as it is read; a client that waits for `100 Continue` gets it at the
//!    first read.
//! 4. The handler returns a [`Response`]. Framing is the server's: a handler's `Transfer-Encoding`
//!    is dropped, its `Content-Length` counts where the body does not know its own, and of its
//!    `Connection` only `close` counts.
//! 5. Responses to pipelined requests are gathered, in order, and leave in one write: when no
//!    further request is there, at 64 KiB, or when a handler parks. On OS threads nobody sees when
//!    a handler waits, so there it holds up the responses to those before it in the batch.
//! 6. A short rest of the body that is unread is read over, a longer one ends the connection.
//!
//! [`upgrade`] ends HTTP on a connection and hands it over; this crate knows no websocket.
//!
//! # What handlers use
//!
//! | for | there is |
//! |---|---|
//! | choosing a handler by path and method | [`Router`] |
//! | answering with text, JSON, files, redirects, statuses, headers | [`IntoResponse`] |
//! | queries, forms, JSON, cookies | [`RequestExt`] |
//! | uploads | [`forms`] |
//! | static files | [`files`] |
//! | access log, compression, CORS, limits, panics | [`middleware`] |
//! | server-sent events | [`sse`] |
//! | seeing what all green threads are doing | [`debug`](mod@debug) |
//!
//! # Errors
//!
//! A handler may return `Result<impl IntoResponse, impl IntoResponse>`. [`Error`] is what reading
//! a body gives, and it becomes the status that fits. A handler that panics gives a 500 and closes
//! its connection. What goes wrong on a connection is logged by `log` and ends that connection
//! only.
//!
//! # Limits
//!
//! | what | default | beyond it | set by |
//! |---|---|---|---|
//! | request line | 8 KiB | 414 | [`Config::max_request_line`] |
//! | head | 32 KiB | 431 | [`Config::max_head`] |
//! | header lines | 100 | 431 | [`Config::max_headers`] |
//! | body read by a handler | 2 MiB | 413 | [`Config::max_body`], [`Body::set_limit`] |
//! | body left unread by a handler | 64 KiB | closed after the response | [`Config::max_unread`] |
//! | chunk extension, all of a body | 1 KiB, 16 KiB | 400 | |
//! | trailers | 8 KiB | 400 | |
//! | head from first byte to last | 30 s | 408 | [`Config::head_timeout`] |
//! | idle connection | 75 s | closed | [`Config::idle_timeout`] |
//! | wait for more of a body | 30 s | 408 | [`Config::body_timeout`] |
//! | wait for a client that does not read | 30 s | closed | [`Config::write_timeout`] |
//! | requests on a connection | 1,000,000 | closed after the response | [`Config::max_requests`] |
//! | connections | 100,000 | wait to be accepted | [`Config::max_connections`] |
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod body;
#[cfg(feature = "client")]
pub mod client;
mod config;
mod connection;
pub mod debug;
mod error;
pub mod files;
pub mod forms;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod handler;
pub mod middleware;
mod peer;
mod protocol;
mod request;
pub mod router;
mod server;
mod spare;
pub mod sse;
mod transport;
mod upgrade;

pub use answer::{IntoResponse, Json, Redirect, html};
pub use body::{Body, BodyWriter};
pub use config::Config;
pub use cookie::{self, Cookie};
pub use error::Error;
pub use handler::Handler;
pub use http::{
    self, Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header,
};
pub use peer::Peer;
pub use protocol::forwarded::Proxies;
pub use request::{Request, RequestExt};
#[doc(inline)]
pub use router::Router;
pub use server::Server;
pub use transport::Transport;
pub use upgrade::{Upgraded, upgrade};

/// What a handler returns.
pub type Response = http::Response<Body>;
