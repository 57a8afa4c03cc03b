//! The part of the page about one scenario: what it is, its pictures, its tables, its commands.

use super::{colours, escaped, plot};
use crate::metric::Metric;
use crate::results::{Peer, Point, Scenario};
use crate::statistics::{Summary, ratio};
use crate::table::shown;
use std::error::Error;

pub(super) fn draw(scenario: &Scenario) -> Result<String, Box<dyn Error>> {
    let mut section = format!(
        "<section id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n",
        escaped(&scenario.name),
        escaped(&scenario.title),
        escaped(&scenario.about)
    );
    section += &legend(scenario);
    section += &pictures(scenario)?;
    if scenario.metrics == [Metric::Nanoseconds] {
        section += &matrix(scenario);
    } else {
        section += &scenario
            .points
            .iter()
            .map(|point| table(scenario, point))
            .collect::<String>();
    }
    section += &million(scenario);
    section += &commands(scenario);
    section += "</section>\n";
    Ok(section)
}

fn legend(scenario: &Scenario) -> String {
    let names = scenario.peers();
    let entry = |name: &&str| format!("<span>{}</span>", named(name));
    let entries: String = names.iter().map(entry).collect();
    format!("<div class=\"legend\">{entries}</div>\n")
}

/// A name with its colour before it.
fn named(name: &str) -> String {
    let colour = colours::css(name);
    format!(
        "<i class=\"swatch\" data-colour=\"{colour}\" style=\"--c:{colour}\"></i>{}",
        escaped(name)
    )
}

fn pictures(scenario: &Scenario) -> Result<String, Box<dyn Error>> {
    let mut pictures = String::new();
    let metrics = scenario.metrics.iter().filter(|metric| metric.compares());
    for &metric in metrics {
        if let Some(picture) = plot::lines(scenario, metric)? {
            pictures += &figure(&picture, metric.title(), metric.unit());
            continue;
        }
        for point in &scenario.points {
            if let Some(picture) = plot::bars(point, metric)? {
                let (title, note) = match scenario.metrics.len() {
                    1 => (point.label.as_str(), ""),
                    _ => (metric.title(), point.label.as_str()),
                };
                pictures += &figure(&picture, title, note);
            }
        }
    }
    Ok(format!("<div class=\"plots\">\n{pictures}</div>\n"))
}

fn figure(picture: &str, title: &str, note: &str) -> String {
    let (title, note) = (escaped(title), escaped(note));
    format!("<figure><figcaption>{title} <small>{note}</small></figcaption>\n{picture}</figure>\n")
}

fn table(scenario: &Scenario, point: &Point) -> String {
    let metrics = shown(scenario, point);
    let headings: String = metrics
        .iter()
        .map(|metric| format!("<th>{}", metric.title()))
        .collect();
    let rows: String = point
        .peers
        .iter()
        .map(|peer| row(peer, point, &metrics))
        .collect();
    format!(
        "<h3>{}</h3>\n<div class=\"scroll\"><table>\n<tr><th>{headings}\n{rows}</table></div>\n",
        escaped(&point.label)
    )
}

fn row(peer: &Peer, point: &Point, metrics: &[Metric]) -> String {
    let base = point.base().is_some_and(|base| base.name == peer.name);
    let class = if base { " class=\"base\"" } else { "" };
    let start = format!(
        "<tr{class}><td class=\"peer\" title=\"{}\">{}",
        escaped(&peer.version),
        named(&peer.name)
    );
    if let Some(failure) = peer.failure() {
        let columns = metrics.len();
        return format!(
            "{start}<td class=\"none\" colspan=\"{columns}\">{}\n",
            escaped(failure)
        );
    }
    let cells: String = metrics
        .iter()
        .map(|&metric| cell(peer, point, metric))
        .collect();
    format!("{start}{}{cells}\n", some_failed(peer))
}

/// A mark for a peer of which some measurements failed.
fn some_failed(peer: &Peer) -> String {
    match peer.failures() {
        0 => String::new(),
        count => format!(" <small>({count} of {} failed)</small>", peer.rounds.len()),
    }
}

fn cell(peer: &Peer, point: &Point, metric: Metric) -> String {
    let Some(summary) = Summary::of_peer(peer, metric) else {
        return "<td>".to_owned();
    };
    let mut cell = format!("<td>{}", metric.show(summary.median));
    if summary.count > 1 && metric.compares() {
        cell += &format!(
            " <small>{}–{}</small>",
            metric.show(summary.min),
            metric.show(summary.max)
        );
    }
    let base = point
        .base()
        .filter(|base| base.name != peer.name && metric.compares());
    if let Some(ratio) = base.and_then(|base| ratio(peer, base, metric)) {
        // What looks equal in two digits is not called better.
        let better = if metric.more_is_better() {
            ratio.median >= 1.005
        } else {
            ratio.median < 0.995
        };
        let class = if better { "ratio better" } else { "ratio" };
        cell += &format!("<span class=\"{class}\">× {:.2}</span>", ratio.median);
    } else if metric.compares() {
        cell += "<span class=\"ratio\"></span>";
    }
    cell
}

/// A table of everything, for scenarios of many points and one metric.
fn matrix(scenario: &Scenario) -> String {
    let names = scenario.peers();
    let headings: String = names
        .iter()
        .map(|name| format!("<th>{}", named(name)))
        .collect();
    let cell = |point: &Point, name: &str| match point.peers.iter().find(|peer| peer.name == name) {
        None => "<td>".to_owned(),
        Some(peer) => match peer.failure() {
            Some(failure) => format!("<td title=\"{}\">failed", escaped(failure)),
            None => cell(peer, point, scenario.metrics[0]),
        },
    };
    let row = |point: &Point| {
        let cells: String = names.iter().map(|name| cell(point, name)).collect();
        format!("<tr><td>{}{cells}\n", escaped(&point.label))
    };
    let rows: String = scenario.points.iter().map(row).collect();
    format!("<div class=\"scroll\"><table>\n<tr><th>{headings}\n{rows}</table></div>\n")
}

/// What a million idle connections would take, by extrapolation; nothing for other scenarios.
fn million(scenario: &Scenario) -> String {
    if scenario.metrics.first() != Some(&Metric::MemoryPerConnection) {
        return String::new();
    }
    let row = |name: &&str| {
        let total = |point: &Point| {
            let peer = point.peers.iter().find(|peer| peer.name == **name)?;
            let total = Summary::of_peer(peer, Metric::Memory)?.median;
            Some((point.connections? as f64, total))
        };
        let totals: Vec<_> = scenario.points.iter().filter_map(total).collect();
        let all = plot::memory_of_a_million(&totals)?;
        let most = plot::grouped(totals.last()?.0 as usize);
        let (each, all) = (
            Metric::MemoryPerConnection.show(all / plot::MILLION),
            Metric::Memory.show(all),
        );
        Some(format!(
            "<tr><td class=\"peer\">{}<td>{most}<td>{each}<td>{all}\n",
            named(name)
        ))
    };
    let rows: String = scenario.peers().iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>1,000,000 connections, extrapolated</h3>\n\
         <p>Not measured: the straight line through the two largest numbers, continued. Dashed in the \
         picture.</p>\n<div class=\"scroll\"><table>\n<tr><th><th>measured up to<th>memory of a connection\
         <th>memory of the server\n{rows}</table></div>\n"
    )
}

fn commands(scenario: &Scenario) -> String {
    let mut lines = format!("# all of this\ncargo bench-all {}\n", scenario.name);
    for point in &scenario.points {
        if !point.load.is_empty() {
            lines += &format!("\n# {}\n{}\n", point.label, point.load);
        }
    }
    lines += "\n# the servers\n";
    let mut known: Vec<&str> = Vec::new();
    for peer in scenario.points.iter().flat_map(|point| &point.peers) {
        if !known.contains(&&*peer.command) {
            known.push(&peer.command);
            let version = if peer.version.is_empty() {
                String::new()
            } else {
                format!("  # {}", peer.version)
            };
            lines += &format!("{}{version}\n", peer.command);
        }
    }
    let lines = escaped(&lines);
    format!("<details><summary>Commands and versions</summary>\n<pre>{lines}</pre></details>\n")
}
