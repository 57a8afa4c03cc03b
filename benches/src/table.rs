//! Results as text.

use crate::metric::Metric;
use crate::results::{Peer, Point, Results, Scenario};
use crate::statistics::{Summary, ratio};

/// A CPU is not free if a computation takes longer by this share more often than once in a hundred times.
const RESTLESS: f64 = 0.25;

/// A scenario: a table for each of its points.
pub fn scenario(scenario: &Scenario) -> String {
    let mut text = format!("\n{} ({})\n", scenario.title, scenario.name);
    for point in &scenario.points {
        text += &format!("\n  {}\n", point.label);
        let metrics = shown(scenario, point);
        let mut rows = vec![heading(&metrics)];
        rows.extend(point.peers.iter().map(|peer| row(peer, point, &metrics)));
        text += &aligned(&rows);
    }
    text
}

/// What a reader has to know of the machine.
pub fn setting(results: &Results) -> String {
    let mut text = String::new();
    for (name, value) in &results.setting {
        text += &format!("  {name:<10} {value}\n");
    }
    for noise in &results.noise {
        text += &format!("  noise      {}\n", self::noise(noise));
    }
    if let Some(warning) = warning(results) {
        text += &format!("\n  {warning}\n");
    }
    text
}

/// What a reader should be warned of; `None` if the CPUs were even.
pub fn warning(results: &Results) -> Option<String> {
    let restless = |noise: &&crate::results::Noise| noise.excess99 > RESTLESS;
    let restless: Vec<String> = results
        .noise
        .iter()
        .filter(restless)
        .map(|noise| noise.cpu.to_string())
        .collect();
    (!restless.is_empty()).then(|| {
        let cpus = restless.join(" and ");
        format!(
            "Something else ran on CPU {cpus} when this was measured: do not trust the figures."
        )
    })
}

/// How even a CPU is, in words.
pub fn noise(noise: &crate::results::Noise) -> String {
    format!(
        "CPU {}: the same loop of {:.2} ms, {} times: 99 of 100 took at most {:.1} % longer, the longest {:.0} %",
        noise.cpu,
        noise.median,
        noise.times,
        100.0 * noise.excess99,
        100.0 * noise.excess
    )
}

/// The metrics that anybody has a value of.
pub fn shown(scenario: &Scenario, point: &Point) -> Vec<Metric> {
    let known = |metric: &Metric| {
        let mut peers = point.peers.iter();
        peers.any(|peer| peer.values(*metric).flatten().next().is_some())
    };
    scenario.metrics.iter().copied().filter(known).collect()
}

/// Ratios are shown of the metrics that decide.
fn deciding(metrics: &[Metric]) -> impl Iterator<Item = Metric> {
    metrics
        .iter()
        .copied()
        .filter(|metric| metric.compares())
        .take(2)
}

fn heading(metrics: &[Metric]) -> Vec<String> {
    let mut cells = vec![String::new()];
    for metric in metrics {
        cells.push(metric.title().to_owned());
        if deciding(metrics).any(|deciding| deciding == *metric) {
            cells.push("ratio".to_owned());
        }
    }
    cells
}

fn row(peer: &Peer, point: &Point, metrics: &[Metric]) -> Vec<String> {
    let mut cells = vec![peer.name.clone()];
    if let Some(failure) = peer.failure() {
        cells.push(format!("- {failure}"));
        return cells;
    }
    for &metric in metrics {
        cells.push(cell(peer, metric));
        if deciding(metrics).any(|deciding| deciding == metric) {
            let ratio = point.base().and_then(|base| ratio(peer, base, metric));
            cells.push(ratio.map_or(String::new(), |ratio| format!("x {:.2}", ratio.median)));
        }
    }
    cells
}

/// The median, and the least and the greatest if there are several.
fn cell(peer: &Peer, metric: Metric) -> String {
    match Summary::of_peer(peer, metric) {
        None => String::new(),
        Some(summary) if summary.count == 1 => metric.show(summary.median),
        Some(summary) => {
            let show = |value| metric.show(value).replace(' ', "");
            format!(
                "{} [{} {}]",
                metric.show(summary.median),
                show(summary.min),
                show(summary.max)
            )
        }
    }
}

/// Columns as wide as their widest cell; the last of a row may be longer, as reasons are.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter(|row| row.len() == columns || column == 0);
        cells
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        text += &format!("    {}\n", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Round;

    fn peer(name: &str, rounds: Vec<Round>) -> Peer {
        Peer {
            name: name.to_owned(),
            rounds,
            ..Peer::default()
        }
    }

    fn measured(value: f64) -> Round {
        Round::Measured([(Metric::Throughput, value)].into())
    }

    #[test]
    fn values_ratios_and_reasons_have_their_rows() {
        let point = Point {
            label: "64 connections".to_owned(),
            connections: Some(64),
            load: String::new(),
            peers: vec![
                peer("greenwire", vec![measured(1000.0), measured(2000.0)]),
                peer("other", vec![measured(1500.0), measured(3000.0)]),
                peer(
                    "lost",
                    vec![Round::Failed("it ended (signal: 6)".to_owned())],
                ),
            ],
        };
        let text = scenario(&Scenario {
            name: "echo".to_owned(),
            title: "Echo".to_owned(),
            about: String::new(),
            metrics: vec![Metric::Throughput, Metric::CpuPerOperation],
            points: vec![point],
        });
        let expected = "
Echo (echo)

  64 connections
               throughput               ratio
    greenwire  1.50 k [1.00k 2.00k]     x 1.00
    other      2.25 k [1.50k 3.00k]     x 1.50
    lost       - it ended (signal: 6)
";
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(expected), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[4].find("throughput"),
            lines[5].find("1.50 k"),
            "{text}"
        );
    }
}
