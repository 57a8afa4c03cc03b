//! From requests to a websocket.

use super::client::{Polling, Ws};
use super::{echo, steady};
use std::time::Duration;

fn open() -> Polling {
    Polling::open(echo(steady()), "/engine.io/")
}

fn upgrade(session: &Polling) -> Ws {
    let mut ws = session.websocket().unwrap();
    ws.send("2probe").expect("3probe");
    let poll = session.get();
    poll.check(200, "6");
    ws.send("5");
    ws
}

#[test]
fn messages_go_over_the_websocket_then() {
    let session = open();
    let mut ws = upgrade(&session);
    ws.send("4hello").expect("4hello");
    session.get().refused();
    session.post("4x").refused();
    ws.send("4still here").expect("4still here");
}

#[test]
fn a_poll_that_waits_is_let_go() {
    let session = open();
    let poll = session.asking();
    let mut ws = session.websocket().unwrap();
    ws.send("2probe").expect("3probe");
    poll.answer().check(200, "6");
    // And one that comes again in spite of that, too.
    session.get().check(200, "6");
    ws.send("5").send("4hello").expect("4hello");
}

#[test]
fn nothing_is_lost_on_the_way() {
    let session = open();
    let mut ws = session.websocket().unwrap();
    ws.send("2probe").expect("3probe");
    session.post("4one\x1e4two").check(200, "ok");
    ws.send("5");
    ws.expect("4one").expect("4two");
    ws.send("4three").expect("4three");
}

#[test]
fn a_websocket_that_does_not_upgrade_changes_nothing() {
    let session = open();
    for first in ["4hello", "5", "abc"] {
        session.websocket().unwrap().send(first).expect_close();
    }
    let mut ws = session.websocket().unwrap();
    ws.send("2probe")
        .expect("3probe")
        .send("4hello")
        .expect_close();
    session.post("4hello").check(200, "ok");
    let mut answer = session.get();
    if answer.body == "6" {
        answer = session.get();
    }
    answer.check(200, "4hello");
    upgrade(&session).send("4x").expect("4x");
}

#[test]
fn only_one_websocket() {
    let session = open();
    let mut ws = upgrade(&session);
    ws.send("4hello").expect("4hello");
    session.websocket().unwrap().expect_close();
    ws.send("4hello").expect("4hello");
}

#[test]
fn an_upgrade_takes_no_longer_than_allowed() {
    let addr = echo(steady().upgrade_timeout(Duration::from_millis(50)));
    let session = Polling::open(addr, "/engine.io/");
    session.websocket().unwrap().expect_close();
    session.post("4hello").check(200, "ok");
    let answer = session.get();
    assert_eq!(answer.status, 200);
}
