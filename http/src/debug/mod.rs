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
//!
//! Parts of a program may have figures of their own shown there: see [`Config::figures`].

mod figures;
mod prometheus;
mod snapshot;

use crate::{Error, IntoResponse, Json, Request, RequestExt, Response, Router, html};
use greenwire_runtime::{Dump, dump_up_to, metrics, unblock};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use figures::Figures;
pub use snapshot::{GreenThread, Metrics, OsThread, Snapshot, Stack};

const PAGE: &str = include_str!("page.html");

/// Green threads of each worker that are shown if nobody says how many, and at most.
const LIMIT: usize = 1000;
const MOST: usize = 100_000;

/// The handler of `/debug/green`, to be [mounted](Router::mount).
pub fn green() -> Router {
    Config::default().green()
}

/// What else `/debug/green` shows.
///
/// ```
/// use greenwire_http::Router;
/// use greenwire_http::debug::{self, Figures};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// let visits = Arc::new(AtomicU64::new(0));
/// let counted = visits.clone();
/// let debug = debug::Config::default().figures("shop", move || {
///     Figures::new().counter("visits", "Visits of the shop.", counted.load(Relaxed))
/// });
/// // Prometheus gets "greenwire_shop_visits_total".
/// let app = Router::new().mount("/debug/green", debug.green());
/// # let _ = (app, visits);
/// ```
#[derive(Clone, Default)]
#[must_use = "it does nothing until `green`"]
pub struct Config {
    parts: BTreeMap<String, Arc<dyn Fn() -> Figures + Send + Sync>>,
}

/// The figures of parts of the program, by their names.
type Parts = BTreeMap<String, Figures>;

impl Config {
    /// Shows figures of a part of the program, too: on the page, in the JSON as `figures.PART`, and for Prometheus as
    /// `greenwire_PART_...`. They are asked for at each look, and should not keep it waiting. Of two parts of one name
    /// the later counts.
    pub fn figures(
        mut self,
        part: &str,
        figures: impl Fn() -> Figures + Send + Sync + 'static,
    ) -> Config {
        self.parts.insert(part.to_owned(), Arc::new(figures));
        self
    }

    /// The handler of `/debug/green`, to be [mounted](Router::mount).
    pub fn green(self) -> Router {
        let of_json = self.clone();
        Router::new()
            .get("/", |_| html(PAGE))
            .get("/json", move |request| {
                let parts = of_json.now();
                answer(&request, |dump| Json(Snapshot::new(dump, parts)))
            })
            .get("/text", |request| answer(&request, |dump| dump.to_string()))
            .get("/metrics", move |_| {
                let format = [("content-type", prometheus::CONTENT_TYPE)];
                fresh((format, prometheus::text(&metrics(), &self.now())))
            })
    }

    fn now(&self) -> Parts {
        let parts = self.parts.iter();
        parts
            .map(|(part, figures)| (part.clone(), figures()))
            .collect()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts.keys().collect();
        f.debug_struct("Config").field("parts", &parts).finish()
    }
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
