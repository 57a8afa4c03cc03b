//! What `/debug/green` tells, as JSON.

use super::Figures;
use greenwire_runtime::insight::{self, State};
use greenwire_runtime::{Dump, metrics};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The process at about one moment. Times are in seconds, sizes in bytes.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken, since 1970.
    pub taken: f64,
    /// What the runtime has done.
    pub metrics: Metrics,
    /// Green threads that could go on.
    pub ready: usize,
    /// Green threads that run and have not given way.
    pub running: usize,
    /// Green threads that wait.
    pub parked: usize,
    /// Green threads that have not started, of which nothing else is known.
    pub not_started: usize,
    /// Green threads that have started and are not among `threads`.
    pub left_out: usize,
    /// The numbers of the workers that did not answer in time.
    pub busy_workers: Vec<usize>,
    /// The green threads.
    pub threads: Vec<GreenThread>,
    /// OS threads that wait in greenwire, without a deadline.
    pub os_threads: Vec<OsThread>,
    /// What parts of the program tell about themselves, by their names.
    pub figures: BTreeMap<String, Figures>,
}

/// A green thread.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct GreenThread {
    /// Its number, which no other thread has for a long time.
    pub id: u32,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// The number of the one that spawned it.
    pub parent: Option<u32>,
    /// On which worker it is.
    pub worker: usize,
    /// `ready`, `running` or `parked`.
    pub state: &'static str,
    /// What a parked one waits for.
    pub waits_for: Option<String>,
    /// For how long it has waited.
    pub since: Option<f64>,
    /// How long it will still wait at most.
    pub left: Option<f64>,
    /// What it uses of its stack, unless it runs.
    pub stack: Option<Stack>,
    /// Where it stands, the innermost call first.
    pub backtrace: Vec<String>,
}

/// A stack.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Stack {
    /// How many bytes are in use.
    pub used: usize,
    /// How many bytes there are.
    pub size: usize,
}

/// An OS thread that waits.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OsThread {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it waits for.
    pub waits_for: String,
    /// For how long it has waited.
    pub since: f64,
}

/// [`greenwire_runtime::Metrics`], which has the meanings.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the runtime documents them")]
pub struct Metrics {
    pub workers: usize,
    pub spawned: u64,
    pub live: u64,
    pub parked: u64,
    pub switches: u64,
    pub steals: u64,
    pub polls: u64,
    pub stack_bytes: u64,
    pub unblock_threads: usize,
    pub unblock_jobs: usize,
}

impl Snapshot {
    pub(super) fn new(dump: &Dump, figures: BTreeMap<String, Figures>) -> Snapshot {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Snapshot {
            taken: now.unwrap_or_default().as_secs_f64(),
            metrics: Metrics::new(metrics()),
            ready: dump.ready(),
            running: dump.running(),
            parked: dump.parked(),
            not_started: dump.not_started(),
            left_out: dump.left_out(),
            busy_workers: dump.busy_workers().collect(),
            threads: dump.threads().map(GreenThread::new).collect(),
            os_threads: dump.os_threads().map(OsThread::new).collect(),
            figures,
        }
    }
}

impl GreenThread {
    fn new(thread: &insight::GreenThread) -> GreenThread {
        let seconds = |time: Duration| time.as_secs_f64();
        let (state, wait) = match thread.state() {
            State::Running => ("running", None),
            State::Parked {
                reason,
                since,
                left,
            } => ("parked", Some((reason, since, left))),
            _ => ("ready", None),
        };
        GreenThread {
            id: thread.id().number(),
            name: thread.name().map(str::to_owned),
            parent: thread.parent().map(|id| id.number()),
            worker: thread.worker(),
            state,
            waits_for: wait.map(|(reason, ..)| reason.to_string()),
            since: wait.map(|(_, since, _)| seconds(since)),
            left: wait.and_then(|(.., left)| left).map(seconds),
            stack: thread.stack().map(|stack| Stack {
                used: stack.used,
                size: stack.size,
            }),
            backtrace: thread.backtrace().iter().map(ToString::to_string).collect(),
        }
    }
}

impl OsThread {
    fn new(thread: &insight::OsThread) -> OsThread {
        OsThread {
            name: thread.name().map(str::to_owned),
            waits_for: thread.reason().to_string(),
            since: thread.since().as_secs_f64(),
        }
    }
}

impl Metrics {
    fn new(of_runtime: greenwire_runtime::Metrics) -> Metrics {
        Metrics {
            workers: of_runtime.workers,
            spawned: of_runtime.spawned,
            live: of_runtime.live,
            parked: of_runtime.parked,
            switches: of_runtime.switches,
            steals: of_runtime.steals,
            polls: of_runtime.polls,
            stack_bytes: of_runtime.stack_bytes,
            unblock_threads: of_runtime.unblock_threads,
            unblock_jobs: of_runtime.unblock_jobs,
        }
    }
}
