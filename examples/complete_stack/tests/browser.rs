//! Two people vote in a real browser, on a PostgreSQL server and a Redis server of their own.
//!
//! Needs what the other stories in a browser need; `tests/browser/complete_stack.mjs` is the story itself.

mod postgres_server;
#[path = "../../../realtime/tests/support/redis_server.rs"]
mod redis_server;
#[path = "../../../tests/support/mod.rs"]
mod support;

use postgres_server::PostgresServer;
use redis_server::RedisServer;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Website, browser_folder, play_with, skip};

/// Sleeps until `condition` holds.
#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{what}: it does not happen"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One process of the application.
fn start(postgres: &PostgresServer, redis: &RedisServer, client: &Path) -> Website {
    let mut command = Command::new(env!("CARGO_BIN_EXE_complete_stack"));
    command.arg("0").env("SOCKJS_CLIENT", client);
    command.env("DATABASE_URL", postgres.url());
    command.env("REDIS_URL", redis.url());
    Website::run(command)
}

#[test]
fn two_people_vote_in_two_processes() {
    let client = browser_folder().join("node_modules/sockjs-client/dist/sockjs.min.js");
    if !client.exists() {
        return skip("sockjs-client (`npm ci` in tests/browser)");
    }
    let (Some(postgres), Some(redis)) = (PostgresServer::start(), RedisServer::start(&[])) else {
        return;
    };
    let [one, two] = [(); 2].map(|()| start(&postgres, &redis, &client));
    let other = format!("http://{}/", two.address);
    play_with("complete_stack.mjs", &one, "green", &[&other]);
}
