//! `/debug/green`: what the green threads of the process are doing, for whoever looks for a fault.
//!
//! ```no_run
//! use greenwire_http::{Router, Server, debug};
//!
//! fn main() -> std::io::Result<()> {
//!     let app = Router::new()
//!         .get("/", |_| "hello")
//!         .mount("/debug/green", debug::green());
//!     Server::bind("127.0.0.1:8080")?.serve_handler(app)
//! }
//! ```
//!
//! | below the mount | what |
//! |---|---|
//! | `/` | a page that shows it all, and keeps up to date |
//! | `/json?limit=1000` | [`Snapshot`]: the green threads, the workers' numbers |
//! | `/text?limit=1000` | the [`Dump`] in print, as a tree |
//! | `/metrics` | the numbers alone, for Prometheus |
//!
//! It is nowhere unless it is mounted. It tells the names of threads and functions, and anybody who asks makes each
//! worker stop for about 0.1 ms at a time: do not mount it where strangers come, or hold it in a handler that
//! asks who they are. `/metrics` looks only at counters.

mod prometheus;
mod snapshot;

use crate::{Error, IntoResponse, Json, Request, RequestExt, Response, Router, html};
use greenwire_runtime::{Dump, dump_up_to, metrics, unblock};
use serde::Deserialize;

pub use snapshot::{GreenThread, Metrics, OsThread, Snapshot, Stack};

const PAGE: &str = include_str!("page.html");

/// Green threads of each worker that are shown if nobody says how many, and at most.
const LIMIT: usize = 1000;
const MOST: usize = 100_000;

/// The handler of `/debug/green`, to be [mounted](Router::mount).
pub fn green() -> Router {
    Router::new()
        .get("/", |_| html(PAGE))
        .get("/json", |request| {
            answer(&request, |dump| Json(Snapshot::new(dump)))
        })
        .get("/text", |request| answer(&request, |dump| dump.to_string()))
        .get("/metrics", |_| {
            let format = [("content-type", prometheus::CONTENT_TYPE)];
            fresh((format, prometheus::text(&metrics())))
        })
}

#[derive(Deserialize)]
struct Query {
    limit: Option<usize>,
}

/// A dump, shown by `show` off the worker, since there may be much of it.
fn answer<T: IntoResponse>(
    request: &Request,
    show: impl FnOnce(&Dump) -> T + Send + 'static,
) -> Result<Response, Error> {
    let Query { limit } = request.query()?;
    let dump = dump_up_to(limit.unwrap_or(LIMIT).min(MOST));
    Ok(unblock(move || fresh(show(&dump))))
}

/// It is out of date at once.
fn fresh(answer: impl IntoResponse) -> Response {
    ([("cache-control", "no-store")], answer).into_response()
}
