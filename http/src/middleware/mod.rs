//! Handlers that hold a handler, and do something before it or after it.
//!
//! ```no_run
//! use greenwire_http::middleware::{AccessLog, CatchPanic, Compress, Timeout};
//! use greenwire_http::{Router, Server};
//! use std::time::Duration;
//!
//! fn main() -> std::io::Result<()> {
//!     let app = Router::new().get("/", |_| "hello");
//!     let app = Timeout::new(app, Duration::from_secs(10));
//!     let app = AccessLog::combined(CatchPanic::new(Compress::new(app)));
//!     Server::bind("127.0.0.1:8080")?.serve_handler(app)
//! }
//! ```
//!
//! What is outermost sees the request first and the response last. Each is a few lines; one of your own is no
//! different:
//!
//! ```
//! use greenwire_http::{Handler, IntoResponse, Request, Response, StatusCode};
//!
//! struct Locked<H>(H);
//!
//! impl<H: Handler> Handler for Locked<H> {
//!     fn call(&self, request: Request) -> Response {
//!         match request.headers().get("authorization") {
//!             Some(key) if key == "Bearer sesame" => self.0.call(request),
//!             _ => StatusCode::UNAUTHORIZED.into_response(),
//!         }
//!     }
//! }
//! # let _ = Locked(|_: Request| "in");
//! ```
//!
//! A body that comes by and by is made after the handler has returned. [`Compress`] and [`AccessLog`] follow it to
//! its end; the others do not see it.

mod access_log;
mod body_limit;
mod catch_panic;
mod compress;
mod cors;
mod request_id;
mod timeout;

pub use access_log::AccessLog;
pub use body_limit::BodyLimit;
pub use catch_panic::CatchPanic;
pub use compress::Compress;
pub use cors::Cors;
pub use request_id::{Id, RequestId};
pub use timeout::Timeout;
