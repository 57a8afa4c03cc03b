//! The runtime's numbers, and those of parts of the program, in the text format of Prometheus, version 0.0.4.

use super::Parts;
use super::figures::{Figure, Kind, Value};
use greenwire_runtime::Metrics;
use std::fmt::Write;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn text(metrics: &Metrics, parts: &Parts) -> String {
    let mut text = of_runtime(metrics);
    for (part, figures) in parts {
        for figure in figures.iter() {
            add(&mut text, part, figure);
        }
    }
    text
}

fn of_runtime(metrics: &Metrics) -> String {
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

/// Writing to a String cannot fail, so what that says is dropped.
fn add(text: &mut String, part: &str, figure: &Figure) {
    let (kind, suffix) = match figure.kind {
        Kind::Gauge => ("gauge", ""),
        Kind::Counter => ("counter", "_total"),
    };
    let name = format!("greenwire_{part}_{}{suffix}", figure.name).replace(is_foreign, "_");
    let help = figure.help.replace('\\', r"\\").replace('\n', r"\n");
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    match &figure.value {
        Value::One(value) => drop(writeln!(text, "{name} {value}")),
        Value::By { label, values } => {
            for (of, value) in values {
                let _ = writeln!(text, "{name}{{{label}=\"{}\"}} {value}", quoted(of));
            }
        }
    }
}

/// Whether no name may contain it.
fn is_foreign(char: char) -> bool {
    !(char.is_ascii_alphanumeric() || char == '_')
}

/// As it stands between quotation marks.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    text.replace('\n', r"\n")
}
