//! Socket.IO's packets on a raw websocket, as its suite has them.

use super::client::{Polling, Ws};
use super::{PATIENCE, quick, steady, suite};
use greenwire_realtime::socketio::Config;
use std::time::Duration;

const PATH: &str = "/socket.io/";

fn open() -> Ws {
    Ws::open(suite(Config::default().engine(steady())), PATH)
}

/// In the namespace `/`.
fn joined() -> Ws {
    let mut ws = open();
    ws.send("40");
    let reply = ws.receive();
    check_sid(&reply, "40");
    ws.expect("42[\"auth\",{}]");
    ws
}

/// Only an id, of 20 characters.
#[track_caller]
fn check_sid(reply: &str, before: &str) {
    let json = reply
        .strip_prefix(before)
        .unwrap_or_else(|| panic!("{reply}"));
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 1, "{reply}");
    assert_eq!(value["sid"].as_str().unwrap().len(), 20, "{reply}");
}

#[test]
fn joining() {
    joined();
    for (join, auth) in [
        ("40/custom,", "{}"),
        ("40/custom", "{}"),
        (r#"40/custom,{"token":"abc"}"#, r#"{"token":"abc"}"#),
    ] {
        let mut ws = open();
        check_sid(&ws.send(join).receive(), "40/custom,");
        ws.expect(&format!("42/custom,[\"auth\",{auth}]"));
    }
    let mut ws = joined();
    check_sid(&ws.send("40/custom,").receive(), "40/custom,");
    ws.expect("42/custom,[\"auth\",{}]");
}

#[test]
fn joining_over_requests() {
    let session = Polling::open(suite(Config::default().engine(steady())), PATH);
    session.post("40").check(200, "ok");
    let mut all = session.get().body;
    while !all.contains("auth") {
        all += "\x1e";
        all += &session.get().body;
    }
    let (reply, event) = all.split_once('\x1e').unwrap();
    check_sid(reply, "40");
    assert_eq!(event, "42[\"auth\",{}]");
    assert!(
        !reply.contains(&session.sid),
        "the name of the session is a secret"
    );
}

#[test]
fn namespaces_that_do_not_exist() {
    let refusal = r#"44/random,{"message":"Invalid namespace"}"#;
    open().send("40/random").expect(refusal);
    let mut ws = joined();
    ws.send("40/random").expect(refusal);
    ws.send("40/random,{}").expect(refusal);
    ws.send("42[\"message\",1]")
        .expect("42[\"message-back\",1]");
}

#[test]
fn what_ends_the_connection() {
    for text in [
        "4abc",
        "42{}",
        "42[]",
        "42abc[\"message-with-ack\",1]",
        "42[\"connect\"]",
        "40",
        "42/custom,[\"message\"]",
        "41/custom,",
        "44{\"message\":\"no\"}",
        "450-[\"message\"]",
        "45",
        "4511-[\"message\"]",
        "451-[\"message\",{\"_placeholder\":true,\"num\":0}]\n42[\"message\"]",
    ] {
        let mut ws = joined();
        for text in text.lines() {
            ws.send(text);
        }
        ws.expect_close();
    }
    for text in ["4abc", "42[\"message\"]", "40[]", "40\"x\""] {
        open().send(text).expect_close();
    }
    open().send_bytes(&[1]).expect_close();
    joined().send_bytes(&[1]).expect_close();
}

#[test]
fn who_never_joins_is_closed() {
    let config = Config::default().connect_timeout(Duration::from_millis(50));
    let addr = suite(config.engine(steady()));
    Ws::open(addr, PATH).expect_close();
}

#[test]
fn leaving() {
    let beating = quick().ping_timeout(10 * PATIENCE);
    let mut ws = Ws::open(suite(Config::default().engine(beating)), PATH);
    ws.send("40").receive();
    ws.expect("42[\"auth\",{}]").send("41").expect("2");
    let mut ws = joined();
    ws.send("40/custom").receive();
    ws.expect("42/custom,[\"auth\",{}]").send("41/custom");
    ws.send("42[\"message\",\"still here\"]")
        .expect("42[\"message-back\",\"still here\"]");
    // And again.
    check_sid(&ws.send("40/custom").receive(), "40/custom,");
}

#[test]
fn events_and_answers() {
    let mut ws = joined();
    ws.send(r#"42["message",1,"2",{"3":[true]}]"#)
        .expect(r#"42["message-back",1,"2",{"3":[true]}]"#);
    ws.send(r#"42["message",{"b":1.50,"a":1e3}]"#)
        .expect(r#"42["message-back",{"b":1.50,"a":1e3}]"#);
    ws.send(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#)
        .expect(r#"43456[1,"2",{"3":[false]}]"#);
    ws.send(r#"427["message-with-ack"]"#).expect("437[]");
    // Nobody has asked.
    ws.send("43123[1]").send("4399999999999999999999999[1]");
    ws.send(r#"42["message"]"#).expect(r#"42["message-back"]"#);
}

#[test]
fn attachments() {
    let two = r#"{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]"#;
    let mut ws = joined();
    ws.send(&format!(r#"452-["message",{two}]"#));
    ws.send_bytes(&[1, 2, 3]).send_bytes(&[4, 5, 6]);
    ws.expect(&format!(r#"452-["message-back",{two}]"#));
    ws.expect_bytes(&[1, 2, 3]).expect_bytes(&[4, 5, 6]);
    ws.send(&format!(r#"452-789["message-with-ack",{two}]"#));
    ws.send_bytes(&[1, 2, 3]).send_bytes(&[4, 5, 6]);
    ws.expect(&format!("462-789[{two}]"));
    ws.expect_bytes(&[1, 2, 3]).expect_bytes(&[4, 5, 6]);
}

#[test]
fn attachments_over_requests() {
    let session = Polling::open(suite(Config::default().engine(steady())), PATH);
    session.post("40").check(200, "ok");
    let event = r#"["message",{"_placeholder":true,"num":0}]"#;
    let mut all = String::new();
    while !all.contains("auth") {
        all += &session.get().body;
    }
    session
        .post(&format!("451-{event}\x1ebAQIDBA=="))
        .check(200, "ok");
    let back = r#"451-["message-back",{"_placeholder":true,"num":0}]"#;
    session.get().check(200, &format!("{back}\x1ebAQIDBA=="));
}

#[test]
fn no_more_namespaces_than_allowed() {
    let config = Config::default().engine(steady()).max_namespaces(2);
    let mut ws = Ws::open(suite(config), PATH);
    ws.send("40").receive();
    ws.expect("42[\"auth\",{}]").send("40/custom").receive();
    ws.expect("42/custom,[\"auth\",{}]");
    ws.send("40/third").expect_close();
}
