//! Two processes of the example `redis_relay` on one Redis server, used as two people would.

#[path = "../realtime/tests/support/redis_server.rs"]
mod redis_server;
mod support;

use greenwire::process::{Child, Command};
use greenwire::time::timeout;
use greenwire::{thread, websocket};
use redis_server::RedisServer;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Lets others run until `condition` holds.
#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "it does not happen: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A running relay; killed on drop.
struct Relay {
    _child: Child,
    addr: String,
}

impl Relay {
    fn start(server: &RedisServer, mode: &[&str]) -> Relay {
        let mut command = Command::new(support::example("redis_relay").get_program());
        command
            .args(["--port", "0", "--redis", &server.url()])
            .args(mode);
        let mut child = command
            .kill_on_drop(true)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        timeout(PATIENCE, || output.read_line(&mut line).unwrap()).unwrap();
        let addr = line.trim().strip_prefix("open http://").unwrap().to_owned();
        Relay {
            _child: child,
            addr,
        }
    }

    fn browser(&self) -> Browser {
        let browser = Browser(websocket::connect(&format!("ws://{}relay", self.addr)).unwrap());
        browser.sees(json!({"connected": true}))
    }
}

struct Browser(websocket::WebSocket);

impl Browser {
    fn says(&mut self, name: &str, text: &str) {
        self.0
            .send(json!({"name": name, "text": text}).to_string())
            .unwrap();
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        let message = timeout(PATIENCE, || self.0.receive()).expect("something comes");
        serde_json::from_slice(message.unwrap().unwrap().as_bytes()).unwrap()
    }

    #[track_caller]
    fn sees(mut self, wanted: Value) -> Browser {
        assert_eq!(self.next(), wanted);
        self
    }
}

fn two_processes(mode: &[&str]) {
    let Some(mut server) = RedisServer::start(&[]) else {
        return;
    };
    let (one, two) = (Relay::start(&server, mode), Relay::start(&server, mode));
    let (mut ann, mut ben) = (one.browser(), two.browser());
    ann.says("Ann", "hello");
    ben.says("Ben", " hi ");
    let seen = |browser: &mut Browser| {
        let mut texts = [browser.next(), browser.next()].map(|said| {
            assert_eq!(said["topic"], "relay.chat");
            said["text"].as_str().unwrap().to_owned()
        });
        texts.sort();
        texts
    };
    let both = ["Ann: hello", "Ben: hi"];
    assert_eq!(
        (seen(&mut ann), seen(&mut ben)),
        (both.map(Into::into), both.map(Into::into))
    );

    server.kill();
    let (ann, ben) = (
        ann.sees(json!({"connected": false})),
        ben.sees(json!({"connected": false})),
    );
    let mut ann = ann;
    ann.says("Ann", "is anybody there?");
    assert!(
        ann.next()["error"]
            .as_str()
            .unwrap()
            .starts_with("nobody has heard that")
    );
    server.restart();
    let (mut ann, ben) = (
        ann.sees(json!({"connected": true})),
        ben.sees(json!({"connected": true})),
    );
    ann.says("Ann", "again");
    let again = || json!({"topic": "relay.chat", "text": "Ann: again"});
    ann.sees(again());
    ben.sees(again());
}

#[test]
fn two_processes_share_a_room() {
    two_processes(&[]);
}

#[test]
fn two_processes_of_os_threads_share_a_room() {
    two_processes(&["--threads"]);
}
