//! Everything in one table: how good each peer is, as a multiple of greenwire.

use super::escaped;
use crate::metric::Metric;
use crate::results::{BASE, Point, Results, Scenario};
use crate::statistics::{Summary, ratio};
use greenwire_bench_peers::PEERS;

/// Better or worse by less than this share looks equal.
const EQUAL: f64 = 0.05;

pub(super) fn draw(results: &Results) -> String {
    let scenarios: Vec<&Scenario> = results
        .scenarios
        .iter()
        .filter(|scenario| compares(scenario))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for name in scenarios.iter().flat_map(|scenario| scenario.peers()) {
        if name != BASE && !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| PEERS.iter().position(|peer| peer.name == *name));
    if names.is_empty() {
        return String::new();
    }
    let heading = |name: &&str| format!("<th><span>{}</span>", escaped(name));
    let headings: String = names.iter().map(heading).collect();
    let rows = scenarios.iter().flat_map(|scenario| {
        let points = scenario.points.iter();
        points.map(|point| row(scenario, point, scenario.metrics[0], &names))
    });
    let rows: String = rows.collect();
    format!(
        "<section id=\"glance\">\n<h2>At a glance</h2>\n\
         <p>How many times as good as greenwire: 2 is twice the throughput, or half the time or memory. \
         Orange is better than greenwire, green is worse. A dash: it failed. Empty: it does not offer this.</p>\n\
         <div class=\"scroll\"><table class=\"glance\">\n<tr><th><th>greenwire{headings}\n{rows}</table></div>\n\
         </section>\n"
    )
}

/// Those in which greenwire is one of several peers.
fn compares(scenario: &Scenario) -> bool {
    scenario.metrics != [Metric::Nanoseconds] && scenario.peers().contains(&BASE)
}

fn row(scenario: &Scenario, point: &Point, metric: Metric, names: &[&str]) -> String {
    let own = point.base().and_then(|base| Summary::of_peer(base, metric));
    let own = own.map_or_else(String::new, |summary| metric.show(summary.median));
    let cells: String = names.iter().map(|name| cell(point, metric, name)).collect();
    format!(
        "<tr><td><a href=\"#{}\">{}</a><br><small>{}: {}</small><td>{own}{cells}\n",
        escaped(&scenario.name),
        escaped(&scenario.title),
        escaped(&point.label),
        metric.title()
    )
}

fn cell(point: &Point, metric: Metric, name: &str) -> String {
    let Some(peer) = point.peers.iter().find(|peer| peer.name == name) else {
        return "<td>".to_owned();
    };
    let Some(ratio) = point.base().and_then(|base| ratio(peer, base, metric)) else {
        let reason = peer.failure().unwrap_or("not comparable");
        return format!("<td title=\"{}\">–", escaped(reason));
    };
    let goodness = if metric.more_is_better() {
        ratio.median
    } else {
        1.0 / ratio.median
    };
    let class = match goodness {
        ..0.5 => "far",
        _ if goodness < 1.0 - EQUAL => "worse",
        _ if goodness <= 1.0 + EQUAL => "equal",
        _ => "better",
    };
    format!("<td class=\"{class}\">{}", digits(goodness))
}

/// Two digits are enough to see.
fn digits(value: f64) -> String {
    match value {
        10.0.. => format!("{value:.0}"),
        1.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Peer, Round};

    fn peer(name: &str, value: f64) -> Peer {
        let round =
            Round::Measured([(Metric::Latency99, value), (Metric::Throughput, value)].into());
        Peer {
            name: name.to_owned(),
            rounds: vec![round],
            ..Peer::default()
        }
    }

    #[test]
    fn more_is_better_only_of_throughput() {
        let point = Point {
            label: String::new(),
            connections: None,
            load: String::new(),
            peers: vec![peer(BASE, 100.0), peer("other", 200.0)],
        };
        assert_eq!(
            cell(&point, Metric::Throughput, "other"),
            "<td class=\"better\">2.0"
        );
        assert_eq!(
            cell(&point, Metric::Latency99, "other"),
            "<td class=\"worse\">0.50"
        );
        assert_eq!(cell(&point, Metric::Latency99, "nobody"), "<td>");
    }
}
