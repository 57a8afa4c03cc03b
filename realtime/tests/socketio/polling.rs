//! Messages over requests.

use super::client::{Asking, Polling};
use super::{echo, steady};
use std::thread;
use std::time::Duration;

const PATH: &str = "/engine.io/";

fn open() -> Polling {
    Polling::open(echo(steady()), PATH)
}

#[test]
fn messages_come_back() {
    let session = open();
    let answer = session.post("4hello");
    assert_eq!(answer.check(200, "ok").header("content-type"), "text/html");
    session.get().check(200, "4hello");
    session.post("4test1\x1e4test2\x1e4test3").check(200, "ok");
    assert_eq!(take(&session, 3), ["4test1", "4test2", "4test3"]);
    session.post("4hello\x1ebAQIDBA==").check(200, "ok");
    assert_eq!(take(&session, 2), ["4hello", "bAQIDBA=="]);
    session.post("4é € 😀").check(200, "ok");
    session.get().check(200, "4é € 😀");
}

/// So many packets, in as few answers as it takes.
fn take(session: &Polling, count: usize) -> Vec<String> {
    let mut packets = Vec::new();
    while packets.len() < count {
        let answer = session.get();
        assert_eq!(answer.status, 200);
        packets.extend(answer.body.split('\x1e').map(str::to_owned));
    }
    packets
}

#[test]
fn what_waits_goes_in_one_answer() {
    let (done, wait) = std::sync::mpsc::channel();
    let service = steady().service(move |mut session| {
        for text in ["a", "b", "c"] {
            session.send(text)?;
        }
        done.send(()).unwrap();
        session.receive();
        Ok(())
    });
    let addr = super::start(greenwire_http::Router::new().mount("/engine.io", service.clone()));
    let session = Polling::open(addr, PATH);
    wait.recv_timeout(super::PATIENCE).unwrap();
    session.get().check(200, "4a\x1e4b\x1e4c");
    assert_eq!(service.sessions(), 1);
}

#[test]
fn what_is_no_payload_ends_the_session() {
    for body in ["abc", "", "4a\x1e", "2", "bnot base64"] {
        let session = open();
        session.post(body).refused();
        session.get().refused();
    }
    let session = open();
    let old = "Content-Type: application/octet-stream";
    session.ask("POST", old, "4hello").refused();
    session.get().refused();
    let session = open();
    session.ask("PUT", "", "4hello").refused();
}

#[test]
fn two_polls_at_once_end_the_session() {
    let session = open();
    let first = session.asking();
    // Either may come first; the other one is one too many.
    let second = session.get();
    let first = first.answer();
    let mut answers = [
        (first.status, first.body.as_str()),
        (second.status, second.body.as_str()),
    ];
    answers.sort_unstable();
    assert_eq!(answers[0], (200, "1"));
    assert_eq!(answers[1].0, 400);
    session.get().refused();
}

#[test]
fn a_client_that_hangs_up_is_gone() {
    let session = open();
    let poll = session.asking();
    thread::sleep(Duration::from_millis(5));
    poll.abort();
    session.expect_end();
}

#[test]
fn a_body_that_breaks_off_ends_the_session() {
    let session = open();
    let Polling { addr, path, sid } = session.clone();
    let head = format!("POST {path}?EIO=4&transport=polling&sid={sid}\nContent-Length: 100");
    Asking::new(addr, &head, "4half").abort();
    session.expect_end();
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let session = open();
    let long = format!("4{}", "x".repeat(1_000_000));
    assert_eq!(session.post(&long).status, 413);
    session.post("4short").check(200, "ok");
    session.get().check(200, "4short");
}

#[test]
fn a_client_says_good_bye() {
    for poll_first in [true, false] {
        let session = open();
        let poll = poll_first.then(|| session.asking());
        thread::sleep(Duration::from_millis(5));
        session.post("1").check(200, "ok");
        let poll = poll.unwrap_or_else(|| session.asking());
        poll.answer().check(200, "6");
        session.get().refused();
    }
}

#[test]
fn the_server_says_good_bye() {
    let service = steady().service(|mut session| {
        if let Some(message) = session.receive() {
            session.send(message)?;
        }
        session.close();
        Ok(())
    });
    let addr = super::start(greenwire_http::Router::new().mount("/engine.io", service));
    let session = Polling::open(addr, PATH);
    session.post("4last").check(200, "ok");
    let mut said = session.get().body;
    if said == "4last" {
        said += &session.get().body;
    }
    assert_eq!(said.replace('\x1e', ""), "4last1");
    session.get().refused();
}

#[test]
fn long_answers_are_compressed_for_those_who_like_it() {
    let session = open();
    let long = format!("4{}", "x".repeat(5000));
    session.post(&long).check(200, "ok");
    let answer = session.ask("GET", "Accept-Encoding: gzip", "");
    assert_eq!(answer.header("content-encoding"), "gzip");
    session.post(&long).check(200, "ok");
    session.get().check(200, &long);
}
