//! The crate redis against a real server.

use std::process::Command;
use std::time::Duration;

use greenwire_monkey_tries::{Server, answers, free_port, patch, program, side_by_side, spawn};
use redis::{Client, Commands, Connection};

#[test]
fn stories_with_one_server() {
    patch();
    let Some(mut command) = program("redis-server") else {
        return;
    };
    let port = free_port().unwrap();
    let command = command
        .args(["--save", "", "--appendonly", "no", "--port"])
        .arg(port.to_string());
    let _server = Server::start(command, || answers(port));
    let address = format!("redis://127.0.0.1:{port}/");
    let client = Client::open(address.as_str()).unwrap();
    let stories = [
        a_hundred_wait_for_a_list,
        fifty_time_out_together,
        a_read_timeout_holds,
        many_commands,
    ];
    stories.into_iter().for_each(|story| story(client.clone()));
    the_crawler_of_the_examples(address);
}

/// A program of its own, which `cargo test` has built.
fn the_crawler_of_the_examples(address: String) {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let crawler = target.join("examples/patched_crawler");
    let mut crawler = Command::new(crawler);
    // On a green thread, for the deadline.
    let crawled = spawn(move || crawler.arg(address).output().unwrap()).join();
    let said = String::from_utf8(crawled.stdout).unwrap();
    assert!(said.starts_with("200 pages, 1200 words, "), "{said}");
}

fn connect(client: &Client) -> Connection {
    client.get_connection().unwrap()
}

fn a_hundred_wait_for_a_list(client: Client) {
    const COUNT: usize = 100;
    let waiting = client.clone();
    let waits: Vec<_> = (0..COUNT)
        .map(|_| {
            let client = waiting.clone();
            spawn(move || {
                connect(&client)
                    .blpop::<_, (String, usize)>("list", 0.0)
                    .unwrap()
                    .1
            })
        })
        .collect();
    let mut connection = connect(&client);
    let all_wait = |connection: &mut Connection| {
        let info: String = redis::cmd("INFO").arg("clients").query(connection).unwrap();
        info.contains(&format!("blocked_clients:{COUNT}\r\n"))
    };
    let mut rounds = 0;
    while !all_wait(&mut connection) {
        rounds += 1;
        assert!(rounds < 3000, "they do not wait at the same time");
        std::thread::sleep(Duration::from_millis(10));
    }
    for n in 0..COUNT {
        connection.rpush::<_, _, ()>("list", n).unwrap();
    }
    let sum: usize = waits.into_iter().map(|wait| wait.join()).sum();
    assert_eq!(sum, (0..COUNT).sum());
}

fn fifty_time_out_together(client: Client) {
    let took = side_by_side(50, move |_| {
        let nothing: Option<(String, String)> = connect(&client).blpop("none", 1.0).unwrap();
        assert_eq!(nothing, None);
    });
    // One after the other they take 50 s.
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(40),
        "{took:?}"
    );
    println!("50 BLPOP with a timeout of 1 s: {took:?}");
}

fn a_read_timeout_holds(client: Client) {
    let took = side_by_side(10, move |_| {
        let mut connection = connect(&client);
        connection
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let late: redis::RedisResult<(String, String)> = connection.blpop("none", 0.0);
        assert!(late.unwrap_err().is_timeout());
    });
    assert!(
        took >= Duration::from_millis(100) && took < Duration::from_secs(40),
        "{took:?}"
    );
}

fn many_commands(client: Client) {
    let each = client.clone();
    side_by_side(50, move |_| {
        let mut connection = connect(&each);
        for _ in 0..100 {
            connection.incr::<_, _, ()>("counter", 1).unwrap();
        }
    });
    assert_eq!(connect(&client).get::<_, u32>("counter").unwrap(), 5000);
}
