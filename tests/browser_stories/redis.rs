//! Examples of which two processes run, on one Redis server.

#[path = "../../realtime/tests/support/redis_server.rs"]
mod redis_server;

use crate::support::{Website, browser_folder, play_with, skip};
use redis_server::RedisServer;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn redis_chat() {
    let Some(redis) = RedisServer::start(&[]) else {
        return;
    };
    let [one, two] = [(); 2].map(|()| Website::start("redis_chat", &["0", &redis.url()]));
    let other = format!("http://{}/", two.address);
    play_with("redis_chat.mjs", &one, "green", &[&other]);
}

#[test]
fn cross_cluster() {
    let packages = browser_folder().join("node_modules");
    let client = packages.join("socket.io-client/dist");
    if !client.exists() || !packages.join("@socket.io/redis-adapter").exists() {
        return skip("socket.io (`npm ci` in tests/browser)");
    }
    let Some(redis) = RedisServer::start(&[]) else {
        return;
    };
    let client = client.to_str().expect("a path that is text");
    let ours = Website::start("cross_cluster", &["0", &redis.url(), client]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cross_cluster/server.cjs");
    let mut node = Command::new("node");
    node.arg(script).args(["0", &redis.url()]);
    // Where the program itself is there are no packages.
    node.env("NODE_PATH", &packages);
    let nodes = Website::run(node);
    let other = format!("http://{}/", nodes.address);
    play_with("cross_cluster.mjs", &ours, "green", &[&other]);
}

/// Sleeps until `condition` holds.
#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "{what}: it does not happen"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
