//! Two people use the relay without a browser: samples at each one's own rate, a common chat, errors
//! answered, and whoever vanishes is forgotten.

mod support;

use greenwire::websocket::{self, WebSocket};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::Website;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn two_subscribers() {
    story(&[]);
}

#[test]
fn two_subscribers_on_os_threads() {
    story(&["--threads"]);
}

#[test]
fn a_wrong_flag_gets_the_usage() {
    let output = support::relay()
        .arg("--prot")
        .output()
        .expect("the relay starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--prot") && text.contains("usage:"), "{text}");
}

fn story(flags: &[&str]) {
    let relay = Website::relay(flags);
    let mut fast = Client::connect(&relay);
    let mut slow = Client::connect(&relay);

    // Before it has chosen, nobody gets samples; then each gets its own series at its own rate.
    fast.send(&json!({"series": ["memory"], "every_ms": 100}));
    slow.send(&json!({"series": ["cpu", "load"], "every_ms": 1000}));
    let (first, last) = (fast.sample(), fast.samples(20));
    assert_eq!(last["people"], 2);
    let seconds = (ms(&last, "due") - ms(&first, "due")) / 1000.0;
    assert!(
        (1.9..10.0).contains(&seconds),
        "20 samples at 100 ms in {seconds} s"
    );
    assert!(
        ms(&last, "sent") >= ms(&last, "due"),
        "nothing is sent early"
    );
    assert!(
        last["seq"].as_u64() > first["seq"].as_u64(),
        "the samples are new ones"
    );
    if cfg!(target_os = "linux") {
        let memory = last["values"]["memory"].as_f64();
        assert!(memory.is_some_and(|percent| (0.0..=100.0).contains(&percent)));
        assert_eq!(keys(&last["values"]), ["memory"]);
        assert_eq!(keys(&slow.sample()["values"]), ["cpu", "load"]);
    }
    let second = (slow.sample(), slow.sample());
    let gap = ms(&second.1, "due") - ms(&second.0, "due");
    assert!(gap >= 990.0, "one a second, not one in {gap} ms");

    // A chat line reaches both, whole and unharmed.
    let line = "\"quoted\", <b>bold</b>, grün \u{1F331}";
    slow.send(&json!({"chat": line, "name": "Ben"}));
    for client in [&mut fast, &mut slow] {
        let chat = client.next("chat");
        assert_eq!(
            (&chat["text"], &chat["name"]),
            (&json!(line), &json!("Ben"))
        );
    }

    // Bad commands get an answer, and the connection goes on.
    for bad in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"chat":7}"#,
        r#"{"chat":" "}"#,
        r#"{"series":["x"],"every_ms":100}"#,
    ] {
        fast.ws.send(bad).expect("the relay still listens");
        assert!(fast.next("error").is_string());
    }
    for every in [
        json!(0),
        json!(9),
        json!(-1),
        json!(1.5),
        json!("100"),
        json!(1u64 << 60),
    ] {
        fast.send(&json!({"series": ["load"], "every_ms": every}));
        assert!(fast.next("error").is_string());
    }
    fast.send(&json!({"chat": "x".repeat(501)}));
    assert!(fast.next("error").is_string());
    fast.ws
        .send(&b"binary"[..])
        .expect("the relay still listens");
    assert!(fast.next("error").is_string());

    // Who vanishes is forgotten.
    drop(slow);
    let start = Instant::now();
    while fast.sample()["people"] != 1 {
        assert!(
            start.elapsed() < PATIENCE,
            "the vanished subscriber is still counted"
        );
    }

    // No series, no samples: the next thing is the chat line.
    fast.send(&json!({"series": [], "every_ms": 10}));
    fast.send(&json!({"chat": "quiet now"}));
    fast.next("chat");
    fast.send(&json!({"chat": "still quiet"}));
    let message = fast.receive();
    assert_eq!(message["chat"]["text"], "still quiet", "{message}");
}

struct Client {
    ws: WebSocket,
}

impl Client {
    fn connect(relay: &Website) -> Client {
        let ws = websocket::connect(&format!("ws://{}/relay", relay.address))
            .expect("the relay accepts");
        let mut client = Client { ws };
        let hello = client.receive();
        assert!(hello["hello"]["series"].is_array(), "{hello}");
        client
    }

    fn send(&self, command: &Value) {
        self.ws
            .send(command.to_string())
            .expect("the relay still listens");
    }

    fn receive(&mut self) -> Value {
        let message = self.ws.receive().expect("the relay breaks no rule");
        let message = message.expect("the relay does not close");
        serde_json::from_str(message.as_text().expect("the relay sends text"))
            .expect("the relay sends JSON")
    }

    /// The next message of this kind; others are passed over.
    fn next(&mut self, kind: &str) -> Value {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(content) = self.receive().get_mut(kind) {
                return content.take();
            }
        }
        panic!("no {kind} came");
    }

    fn sample(&mut self) -> Value {
        self.next("sample")
    }

    /// The last of this many samples.
    fn samples(&mut self, count: usize) -> Value {
        (0..count)
            .map(|_| self.sample())
            .last()
            .expect("count is not 0")
    }
}

fn ms(sample: &Value, field: &str) -> f64 {
    sample[field].as_f64().expect("a time is a number")
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}
