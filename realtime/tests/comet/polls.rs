//! Long polls, as Shaveet's client makes them, and as ours.

use crate::client::Client;
use crate::{COLLECTED, SUBSCRIBED, join, serve, wait_until};
use greenwire_realtime::comet::Config;
use greenwire_runtime::thread;
use std::time::{Duration, Instant};

fn poll_of(client: &str) -> String {
    format!("/message_updates?callback=cb&client_id={client}&ts=1")
}

#[test]
fn a_poll_is_answered_as_shaveet_does() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    comet.new_message("alice", "{\"x\": 1}", "room").unwrap();
    comet.new_message("alice", "hi \u{20ac}", "room").unwrap();
    let mut client = Client::new(addr);
    client.send(
        "GET",
        &poll_of(&bob),
        "Origin: http://other.example\r\n",
        "",
    );
    let answer = client.answer();
    assert_eq!(answer.status(), "200");
    assert_eq!(answer.header("content-type"), "application/x-javascript");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.body,
        format!(
            "cb({{\"room\": [[1, {SUBSCRIBED}, \"bob\"], \
             [2, \"{{\\\"x\\\": 1}}\", \"alice\"], [3, \"hi \\u20ac\", \"alice\"]]}});"
        )
    );
}

#[test]
fn a_poll_waits_for_a_message() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    let mut client = Client::new(addr);
    client.get(&poll_of(&bob));
    let (sender, receiver) = std::sync::mpsc::channel();
    let waits = std::thread::spawn(move || {
        client.send("GET", &poll_of(&bob), "", "");
        sender.send(()).unwrap();
        client.answer().body
    });
    receiver.recv().unwrap();
    comet.new_message("alice", "now", "room").unwrap();
    assert_eq!(
        waits.join().unwrap(),
        "cb({\"room\": [[2, \"now\", \"alice\"]]});"
    );
}

#[test]
fn a_poll_without_a_message_ends_in_time() {
    let limit = Duration::from_millis(300);
    let (comet, addr) = serve(Config::default().poll_timeout(limit));
    let key = comet.create_client("bob").unwrap();
    let start = Instant::now();
    // Also for a client without channels, so that nobody asks all the time.
    let answer = Client::new(addr).get(&poll_of(&format!("bob_!!_{key}")));
    assert_eq!(answer.body, "cb({});");
    assert!(start.elapsed() >= limit);
}

#[test]
fn a_subscription_reaches_a_poll_that_waits() {
    let (comet, addr) = serve(Config::default());
    let key = comet.create_client("bob").unwrap();
    let subscriber = comet.clone();
    let mut client = Client::new(addr);
    client.send("GET", &poll_of(&format!("bob_!!_{key}")), "", "");
    thread::spawn(move || subscriber.subscribe("bob", "room"));
    assert_eq!(
        client.answer().body,
        format!("cb({{\"room\": [[1, {SUBSCRIBED}, \"bob\"]]}});")
    );
}

#[test]
fn a_poll_by_post_has_its_secrets_in_the_body_and_says_what_it_had() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    let key = bob.strip_prefix("bob_!!_").unwrap();
    let mut client = Client::new(addr);
    let first = format!("{{\"room\": [[1, {SUBSCRIBED}, \"bob\"]]}}");
    // The first answer is lost, say.
    for cursors in ["{}", r#"{"room": 0}"#] {
        let hello = format!(r#"{{"clients": {{"bob": "{key}"}}, "cursors": {cursors}}}"#);
        client.send("POST", "/message_updates", "", &hello);
        let answer = client.answer();
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.body, first);
    }
    let path = format!("/message_updates?client_id={bob}&cursors=%7B%22room%22:0%7D");
    assert_eq!(client.get(&path).body, first);
}

#[test]
fn several_clients_poll_together() {
    let (comet, addr) = serve(Config::default());
    let (ann, bob) = (join(&comet, "ann"), join(&comet, "bob"));
    let path = format!("{}&client_id={bob}", poll_of(&ann));
    assert_eq!(
        Client::new(addr).get(&path).body,
        format!("cb({{\"room\": [[1, {SUBSCRIBED}, \"ann\"], [2, {SUBSCRIBED}, \"bob\"]]}});")
    );
}

#[test]
fn what_is_malformed_or_unknown_is_refused() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    let mut client = Client::new(addr);
    for (path, status, body) in [
        (poll_of("bob_!!_0"), "404", "Not Found\r\n"),
        (poll_of("eve_!!_0"), "404", "Not Found\r\n"),
        (poll_of("bob"), "400", "a client_id is ID_!!_KEY\n"),
        (
            "/message_updates?callback=cb".into(),
            "400",
            "no client_id\n",
        ),
        (
            format!("/message_updates?callback=a(b)&client_id={bob}"),
            "400",
            "malformed callback\n",
        ),
        (
            format!("{}&cursors=1", poll_of(&bob)),
            "400",
            "cursors are {\"CHANNEL\": LAST_ID}\n",
        ),
    ] {
        let answer = client.get(&path);
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.body, body, "{path}");
    }
    client.send("POST", "/message_updates", "", "[]");
    assert_eq!(client.answer().status(), "400");
    client.send("PUT", "/message_updates", "", "");
    assert_eq!(client.answer().header("allow"), "GET, POST");
}

#[test]
fn ids_may_be_anything_that_is_no_secret() {
    let (comet, addr) = serve(Config::default());
    let key = comet.create_client("é &_!!_%").unwrap();
    comet.subscribe("é &_!!_%", "room").unwrap();
    let path = poll_of(&format!("%C3%A9%20%26_!!_%25_!!_{key}"));
    let expected = format!("cb({{\"room\": [[1, {SUBSCRIBED}, \"\\u00e9 &_!!_%\"]]}});");
    assert_eq!(Client::new(addr).get(&path).body, expected);
}

#[test]
fn other_sites_may_poll_unless_they_are_named() {
    let preflight = "Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n\
                     Access-Control-Request-Headers: content-type\r\n";
    for (config, allowed) in [
        (Config::default(), "access-control-allow-origin: *"),
        (
            Config::default().allow_origins(["http://a.example"]),
            "origin: http://a.example",
        ),
        (Config::default().allow_origins(["http://b.example"]), "204"),
    ] {
        let (_, addr) = serve(config);
        let mut client = Client::new(addr);
        client.send("OPTIONS", "/message_updates", preflight, "");
        let head = client.answer().head;
        assert!(head.contains(allowed), "{head}");
        let is_allowed = head.contains("access-control-allow-origin");
        assert_eq!(is_allowed, allowed.contains("origin"));
    }
}

#[test]
fn what_goes_nowhere_is_for_the_next_poll() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    Client::new(addr).get(&poll_of(&bob));
    let mut lost = Client::new(addr);
    lost.send("GET", &poll_of(&bob), "", "");
    drop(lost);
    comet.new_message("alice", "hi", "room").unwrap();
    let mut next = Client::new(addr);
    assert_eq!(
        next.get(&poll_of(&bob)).body,
        "cb({\"room\": [[2, \"hi\", \"alice\"]]});"
    );
}

#[test]
fn a_client_that_is_collected_comes_back_and_is_told() {
    let (comet, addr) = serve(
        Config::default()
            .min_alive(Duration::ZERO)
            .max_idle(Duration::from_millis(50))
            .collect_every(Duration::from_millis(10)),
    );
    let bob = join(&comet, "bob");
    wait_until(|| comet.client_channels("bob").is_err());
    comet.new_message("alice", "missed", "room").unwrap();
    let body = Client::new(addr).get(&poll_of(&bob)).body;
    assert_eq!(
        body,
        format!(
            "cb({{\"room\": [[1, {SUBSCRIBED}, \"bob\"], [2, {COLLECTED}, \"bob\"], \
             [3, \"missed\", \"alice\"], [4, {SUBSCRIBED}, \"bob\"]]}});"
        )
    );
}

#[test]
fn a_poll_of_a_killed_client_ends() {
    let (comet, addr) = serve(Config::default());
    let key = comet.create_client("bob").unwrap();
    let mut client = Client::new(addr);
    client.send("GET", &poll_of(&format!("bob_!!_{key}")), "", "");
    comet.kill_client("bob").unwrap();
    assert_eq!(client.answer().status(), "404");
}

#[test]
fn a_message_reaches_a_thousand_polls() {
    const COUNT: usize = 1000;
    let (comet, addr) = serve(Config::default());
    let clients = (0..COUNT).map(|n| join(&comet, &n.to_string()));
    let mut polls: Vec<_> = clients
        .map(|id| (poll_of(&id), Client::new(addr)))
        .collect();
    for (path, client) in &mut polls {
        // What the others' subscriptions have left; and then it waits.
        client.get(path);
        client.send("GET", path, "", "");
    }
    comet.new_message("alice", "to all", "room").unwrap();
    for (_, client) in &mut polls {
        let expected = "cb({\"room\": [[1001, \"to all\", \"alice\"]]});";
        assert_eq!(client.answer().body, expected);
    }
}
