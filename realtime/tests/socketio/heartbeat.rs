//! Pings, and what becomes of clients that do not answer them. Times are compared with lower bounds, and with
//! the server's own.

use super::client::{Polling, Ws};
use super::{PATIENCE, echo, quick};
use greenwire_http::Router;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn polling() {
    let start = Instant::now();
    let session = Polling::open(echo(quick().ping_timeout(10 * PATIENCE)), "/engine.io/");
    for beat in 1..=3 {
        session.get().check(200, "2");
        assert!(start.elapsed() >= Duration::from_millis(300) * beat);
        session.post("3").check(200, "ok");
    }
}

#[test]
fn websocket() {
    let start = Instant::now();
    let mut ws = Ws::open(echo(quick().ping_timeout(10 * PATIENCE)), "/engine.io/");
    for beat in 1..=3 {
        ws.expect("2").send("3");
        assert!(start.elapsed() >= Duration::from_millis(300) * beat);
    }
    ws.send("4x").expect("4x");
}

#[test]
fn who_does_not_answer_is_given_up() {
    let service = quick().service(|mut session| {
        session.receive();
        Ok(())
    });
    let addr = super::start(Router::new().mount("/engine.io", service.clone()));
    let session = Polling::open(addr, "/engine.io/");
    let start = Instant::now();
    while service.sessions() > 0 {
        assert!(start.elapsed() < PATIENCE, "it is not given up");
        thread::sleep(Duration::from_millis(5));
    }
    session.get().refused();
    let mut ws = Ws::open(addr, "/engine.io/");
    ws.expect_close();
    let session = Polling::open(addr, "/engine.io/");
    let mut said = String::new();
    while let answer = session.get()
        && answer.status == 200
    {
        said += &answer.body;
    }
    // It hears of its end if it asks in time, as of the ping.
    assert!("21".contains(&said), "{said}");
}
