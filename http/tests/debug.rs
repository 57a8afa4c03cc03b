//! `/debug/green`, asked from outside while known green threads wait.

mod common;

use common::{exchange, start};
use greenwire_http::debug::Figures;
use greenwire_http::{Config, Router, debug};
use greenwire_runtime::sync::Event;
use greenwire_runtime::thread::{self, JoinHandle};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn server() -> SocketAddr {
    let app = Router::new().mount("/debug/green", debug::green());
    start(Config::default(), app)
}

/// The head and the body.
fn get(addr: SocketAddr, path: &str) -> (String, String) {
    let answer = exchange(addr, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn json(addr: SocketAddr, path: &str) -> Value {
    let (head, body) = get(addr, path);
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    serde_json::from_str(&body).unwrap()
}

/// Threads of a name that wait until the event is set.
fn waiting(name: &str, count: usize, until: &Arc<Event>) -> Vec<JoinHandle<()>> {
    let spawn = |_| {
        let until = until.clone();
        let builder = thread::Builder::new().name(name.to_owned());
        builder.spawn(move || until.wait()).unwrap()
    };
    (0..count).map(spawn).collect()
}

#[test]
fn each_green_thread_is_told() {
    let addr = server();
    let until = Arc::new(Event::new());
    let threads = waiting("shown", 3, &until);
    let deadline = Instant::now() + Duration::from_secs(60);
    let (snapshot, shown) = loop {
        let snapshot = json(addr, "/debug/green/json");
        let of_name = |thread: &&Value| thread["name"] == "shown" && thread["state"] == "parked";
        let all = snapshot["threads"].as_array().unwrap();
        let shown: Vec<Value> = all.iter().filter(of_name).cloned().collect();
        if shown.len() == 3 {
            break (snapshot, shown);
        }
        assert!(Instant::now() < deadline, "{snapshot}");
    };
    for thread in shown {
        assert!(thread["waits_for"].as_str().unwrap().starts_with("event "));
        assert!(thread["since"].as_f64().unwrap() >= 0.0);
        let (used, size) = (&thread["stack"]["used"], &thread["stack"]["size"]);
        assert!((1..size.as_u64().unwrap()).contains(&used.as_u64().unwrap()));
        assert!(!thread["backtrace"].as_array().unwrap().is_empty());
        assert!(thread["id"].is_u64() && thread["worker"].is_u64());
        assert!(thread["left"].is_null());
    }
    assert!(snapshot["parked"].as_u64().unwrap() >= 3);
    assert!(snapshot["metrics"]["live"].as_u64().unwrap() >= 4);
    assert!(snapshot["metrics"]["workers"].as_u64().unwrap() >= 1);

    let (head, text) = get(addr, "/debug/green/text");
    assert!(head.contains("content-type: text/plain"), "{head}");
    assert_eq!(text.matches("'shown' on worker").count(), 3, "{text}");

    let few = json(addr, "/debug/green/json?limit=1");
    let workers = few["metrics"]["workers"].as_u64().unwrap() as usize;
    assert!(few["threads"].as_array().unwrap().len() <= workers);
    assert!(few["left_out"].as_u64().unwrap() >= 1);
    let (head, _) = get(addr, "/debug/green/json?limit=x");
    assert!(head.starts_with("HTTP/1.1 400"));

    until.set();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn prometheus_gets_the_numbers() {
    let (head, text) = get(server(), "/debug/green/metrics");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    let mut lines = text.lines();
    let mut names = Vec::new();
    while let Some(help) = lines.next() {
        let name = help
            .strip_prefix("# HELP ")
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let kind = lines.next().unwrap();
        let kind = kind.strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        let value = lines.next().unwrap().strip_prefix(&format!("{name} "));
        value.unwrap().parse::<u64>().unwrap();
        names.push(name);
    }
    assert!(text.ends_with('\n'));
    assert!(names.contains(&"greenwire_threads_live"), "{names:?}");
    assert_eq!(names.len(), 10);
}

#[test]
fn the_page_is_one_file() {
    for path in ["/debug/green", "/debug/green/"] {
        let (head, page) = get(server(), path);
        assert!(head.contains("content-type: text/html"), "{head}");
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("green threads"));
        for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

#[test]
fn it_is_nowhere_unless_it_is_mounted() {
    let addr = start(Config::default(), Router::new().get("/", |_| "root"));
    assert!(get(addr, "/debug/green/json").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn parts_of_the_program_tell_their_figures() {
    let figures = || {
        Figures::new()
            .gauge("open", "Open\ndoors.", 3)
            .counter("knocks", "Knocks.", 7)
            .gauge_by("keys", "Keys.", "of", [("a\"b\\c\nd", 1), ("e", 2)])
    };
    let debug = debug::Config::default().figures("house 1", figures);
    let addr = start(
        Config::default(),
        Router::new().mount("/green", debug.green()),
    );
    let snapshot = json(addr, "/green/json");
    let expected = serde_json::json!({
        "house 1": {"open": 3, "knocks": 7, "keys": {"a\"b\\c\nd": 1, "e": 2}}
    });
    assert_eq!(snapshot["figures"], expected);
    let (_, text) = get(addr, "/green/metrics");
    let expected = r##"# HELP greenwire_house_1_open Open\ndoors.
# TYPE greenwire_house_1_open gauge
greenwire_house_1_open 3
# HELP greenwire_house_1_knocks_total Knocks.
# TYPE greenwire_house_1_knocks_total counter
greenwire_house_1_knocks_total 7
# HELP greenwire_house_1_keys Keys.
# TYPE greenwire_house_1_keys gauge
greenwire_house_1_keys{of="a\"b\\c\nd"} 1
greenwire_house_1_keys{of="e"} 2
"##;
    assert!(text.ends_with(expected), "{text}");
}
