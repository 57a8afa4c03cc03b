//! Results as a page: one HTML file with its pictures in it, which needs no other.

mod colours;
mod glance;
mod plot;
mod section;

use crate::results::Results;
use crate::table;
use std::error::Error;

/// What the style sheet has in place of the dark colours of the pictures.
const DARK: &str = "/* dark pictures */";

/// How it was measured, for the reader.
const METHOD: &[&str] = &[
    "Every server is a process of its own, started anew for each measurement, on CPUs of its own; the load \
     generator runs on others. With few CPUs that is one each: what is compared is what a server makes of \
     one CPU. Servers run with one worker for each of their CPUs.",
    "The order is A B C, A B C, so that a slow minute of the machine meets everybody. Shown are medians, \
     with the least and the greatest. A ratio is that to greenwire, divided round by round; its median is \
     shown. Orange: better than greenwire.",
    "An operation is a request with its answer, or a message with its echo. Server CPU is the CPU time of \
     all threads of the server, in user space and in the kernel (/proc/PID/stat), divided by the operations. \
     It says more than the throughput where a server was not busy all the time, because the load generator \
     was: see the two columns at the right.",
    "Closed loop: an answer lets the next request go. Open loop (where a rate is named): requests are due at \
     fixed times, and latency counts from then, so that a server that stands still is not forgiven the \
     requests it was not sent (coordinated omission). What has no answer at the end counts with the time it \
     has waited.",
    "Every byte of every answer is compared with what it has to be. A server that refuses, ends, answers \
     wrongly or not at all has no values; its row says why.",
    "Idle connections are measured up to three times, for their memory is the same each time.",
];

/// The page.
///
/// # Errors
/// What the pictures cannot be drawn of.
pub fn draw(results: &Results) -> Result<String, Box<dyn Error>> {
    let style = include_str!("style.css").replace(DARK, &colours::dark_rules());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>greenwire: benchmarks</title>\n<style>\n{style}</style>\n<main>\n\
         <h1>greenwire beside its peers</h1>\n\
         <p class=\"lead\">Green threads, thread-per-connection, a bare epoll loop, and the servers that others \
         write, measured in one run on one machine.</p>\n"
    );
    page += &contents(results);
    if let Some(warning) = table::warning(results) {
        page += &format!("<p class=\"warning\">{}</p>\n", escaped(&warning));
    }
    page += &glance::draw(results);
    page += &setting(results);
    for scenario in &results.scenarios {
        page += &section::draw(scenario)?;
    }
    page += "</main>\n</html>\n";
    Ok(page)
}

fn contents(results: &Results) -> String {
    let link = |(name, title): (&str, &str)| format!("<a href=\"#{name}\">{}</a>", escaped(title));
    let scenarios = results
        .scenarios
        .iter()
        .map(|scenario| (&*scenario.name, &*scenario.title));
    let links: String = [("glance", "At a glance"), ("method", "Method")]
        .into_iter()
        .chain(scenarios)
        .map(link)
        .collect();
    format!("<nav>{links}</nav>\n")
}

fn setting(results: &Results) -> String {
    let row = |name: &str, text: &str| format!("<tr><td>{}<td>{}\n", escaped(name), escaped(text));
    let facts: String = results
        .setting
        .iter()
        .map(|(name, text)| row(name, text))
        .collect();
    let noise: String = results
        .noise
        .iter()
        .map(|noise| row("noise", &table::noise(noise)))
        .collect();
    let method: String = METHOD
        .iter()
        .map(|text| format!("<p>{}</p>\n", escaped(text)))
        .collect();
    format!(
        "<section id=\"method\">\n<h2>How it was measured</h2>\n\
         <table class=\"facts\">\n{facts}{noise}</table>\n{method}\
         <p>All of it: <code>cargo bench-all --full</code></p>\n</section>\n"
    )
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::results::{Peer, Point, Round, Scenario};

    fn peer(name: &str, value: f64) -> Peer {
        let values = [
            (Metric::MemoryPerConnection, value),
            (Metric::Memory, 1000.0 * value),
        ];
        Peer {
            name: name.to_owned(),
            rounds: vec![Round::Measured(values.into())],
            ..Peer::default()
        }
    }

    fn point(connections: usize, lost: &str) -> Point {
        let mut peers = vec![peer("greenwire", 5000.0), peer("Go", 20_000.0)];
        peers.push(Peer {
            name: "gevent".to_owned(),
            rounds: vec![Round::Failed(lost.to_owned())],
            ..Peer::default()
        });
        Point {
            label: format!("{connections} connections"),
            connections: Some(connections),
            load: "load idle".to_owned(),
            peers,
        }
    }

    fn page(points: Vec<Point>) -> String {
        let scenario = Scenario {
            name: "idle".to_owned(),
            title: "Idle".to_owned(),
            about: String::new(),
            metrics: vec![Metric::MemoryPerConnection, Metric::Memory],
            points,
        };
        let results = Results {
            scenarios: vec![scenario],
            ..Results::default()
        };
        draw(&results).unwrap()
    }

    #[test]
    fn several_numbers_of_connections_give_lines_and_a_marked_extrapolation() {
        let page = page(vec![point(1000, "gone"), point(10_000, "gone")]);
        assert!(page.contains("<polyline"), "{page}");
        assert!(page.contains("1,000,000"));
        assert!(page.contains("extrapolated"));
        assert!(page.contains("href=\"#idle\"") && page.contains("id=\"idle\""));
    }

    #[test]
    fn one_number_gives_bars() {
        let page = page(vec![point(1000, "gone")]);
        assert!(page.contains("<rect") && !page.contains("<polyline"));
    }

    #[test]
    fn reasons_are_shown_as_text() {
        let page = page(vec![point(1000, "<script> & \"more\"")]);
        assert!(page.contains("&lt;script&gt; &amp; &quot;more&quot;"));
    }
}
