//! The runtime's numbers in the text format of Prometheus, version 0.0.4.

use greenwire_runtime::Metrics;
use std::fmt::Write;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn text(metrics: &Metrics) -> String {
    let count = |number: usize| number as u64;
    let lines = [
        (
            "workers",
            "gauge",
            "OS threads that run green threads.",
            count(metrics.workers),
        ),
        (
            "threads_spawned_total",
            "counter",
            "Green threads spawned.",
            metrics.spawned,
        ),
        (
            "threads_live",
            "gauge",
            "Green threads that have not ended.",
            metrics.live,
        ),
        (
            "threads_parked",
            "gauge",
            "Green threads that wait.",
            metrics.parked,
        ),
        (
            "switches_total",
            "counter",
            "Switches to a green thread.",
            metrics.switches,
        ),
        (
            "steals_total",
            "counter",
            "Green threads taken from another worker.",
            metrics.steals,
        ),
        (
            "polls_total",
            "counter",
            "Times that a worker asked the kernel for events.",
            metrics.polls,
        ),
        (
            "stack_bytes",
            "gauge",
            "Address space of all stacks in use.",
            metrics.stack_bytes,
        ),
        (
            "unblock_threads",
            "gauge",
            "OS threads for blocking work.",
            count(metrics.unblock_threads),
        ),
        (
            "unblock_jobs",
            "gauge",
            "Blocking work under way or waiting.",
            count(metrics.unblock_jobs),
        ),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in lines {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP greenwire_{name} {help}\n# TYPE greenwire_{name} {kind}\ngreenwire_{name} {value}\n"
        );
    }
    text
}
