//! Examples of which two processes run, on one Redis server.

#[path = "../../realtime/tests/support/redis_server.rs"]
mod redis_server;

use crate::support::{Website, play_with};
use redis_server::RedisServer;
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
