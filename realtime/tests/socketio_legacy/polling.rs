//! Requests that receive, and requests that send.

use super::client::{Asked, Polling, ask, handshake};
use super::{PATIENCE, application, legacy, serve};
use greenwire_realtime::engineio;
use greenwire_realtime::socketio::{Config, Legacy};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[test]
fn messages_and_events() {
    let client = Polling::connect(serve(application(legacy())));
    client.exchange("3:::hello", "3:::hello");
    client.exchange("3:::a:b:😀", "3:::a:b:😀");
    client.exchange(r#"4:::{"z":1,"a":[2]}"#, r#"4:::{"z":1,"a":[2]}"#);
    client.exchange(
        r#"5:::{"name":"echo","args":[1,{"z":1,"a":"é"}]}"#,
        r#"5:::{"name":"echoed","args":[1,{"z":1,"a":"é"}]}"#,
    );
    client.exchange(r#"5:::{"name":"echo"}"#, r#"5:::{"name":"echoed"}"#);
}

#[test]
fn both_forms_of_acknowledgements() {
    let client = Polling::connect(serve(application(legacy())));
    client.exchange(r#"5:1+::{"name":"add","args":[1,2]}"#, "6:::1+[3]");
    // Without a plus it is a receipt, whatever the handler says.
    client.exchange(r#"5:2::{"name":"add","args":[1,2]}"#, "6:::2");
    let question = r#"5:0+::{"name":"question","args":["how many?"]}"#;
    client.exchange(r#"5:::{"name":"ask"}"#, question);
    client.exchange(
        r#"6:::0+[3,"or so"]"#,
        r#"5:::{"name":"thanks","args":[3,"or so"]}"#,
    );
    // One that nobody asked for.
    client.post("6:::77+[1]").check(200, "1");
    client.exchange("3:::hello", "3:::hello");
}

#[test]
fn namespaces() {
    let client = Polling::connect(serve(application(legacy())));
    client.exchange("1::/chat", "1::/chat");
    client.exchange("3::/chat:hello", "3::/chat:hello");
    client.post("3:7:/chat:hello").check(200, "1");
    gather(&client, &["6::/chat:7", "3::/chat:hello"]);
    client.exchange("1::/closed", "7::/closed:2");
    client.exchange("1::/nowhere", "7::/nowhere:2");
    client.exchange("1::/secret:?token=xyz", "7::/secret:2");
    client.exchange("1::/secret:?token=abc", "1::/secret");
    // What is said where one is not goes nowhere.
    client.post("3::/nowhere:hello").check(200, "1");
    client.post("0::/chat").check(200, "1");
    client.post("3::/chat:hello").check(200, "1");
    client.exchange("3:::hello", "3:::hello");
    client.exchange("1::/chat", "1::/chat");
    client.exchange(r#"5::/chat:{"name":"leave me"}"#, "0::/chat");
    client.exchange("3:::hello", "3:::hello");
}

/// Polls until all of this has come, in this order.
#[track_caller]
fn gather(client: &Polling, expected: &[&str]) {
    let mut told = String::new();
    let last = expected[expected.len() - 1];
    while !told.contains(last) {
        told += &client.get().body;
    }
    let mut rest = &*told;
    for part in expected {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("{part} is not in its place: {told}"));
        rest = &rest[at + part.len()..];
    }
}

fn payload(packets: &[&str]) -> String {
    let framed = packets.iter().map(|packet| {
        let length = packet.encode_utf16().count();
        format!("\u{fffd}{length}\u{fffd}{packet}")
    });
    framed.collect()
}

/// A client sends to a namespace before it knows that it is in there.
#[test]
fn who_joins_need_not_wait() {
    let client = Polling::connect(serve(application(legacy())));
    let packets = ["1::/chat", "3::/chat:one", "3::/chat:two"];
    client.post(&payload(&packets)).check(200, "1");
    gather(&client, &packets);
}

#[test]
fn many_packets_in_one_body() {
    let client = Polling::connect(serve(application(legacy())));
    let packets = [
        "3:::😀",
        "3:::b",
        "3::::c:d",
        r#"5:1+::{"name":"add","args":[1,2]}"#,
    ];
    client.post(&payload(&packets)).check(200, "1");
    gather(&client, &["3:::😀", "3:::b", "3::::c:d", "6:::1+[3]"]);
    // What waits for a poll leaves in one body.
    client.exchange("1::/chat", "1::/chat");
    client
        .post(r#"5:::{"name":"join","args":["red"]}"#)
        .check(200, "1");
    client
        .post(r#"5:2+:/chat:{"name":"join","args":["red"]}"#)
        .check(200, "1");
    gather(&client, &["6::/chat:2"]);
    let tell = |text| format!(r#"5:::{{"name":"tell","args":["red","{text}"]}}"#);
    let (one, two) = (tell("😀"), tell("two"));
    client
        .post(&payload(&[
            &one,
            &two,
            "5:3+::{\"name\":\"add\",\"args\":[1,2]}",
        ]))
        .check(200, "1");
    let told = [
        r#"5:::{"name":"told","args":["😀"]}"#,
        r#"5:::{"name":"told","args":["two"]}"#,
    ];
    gather(&client, &[told[0], told[1], "6:::3+[3]"]);
}

#[test]
fn what_is_no_packet_hurts_nobody() {
    let client = Polling::connect(serve(application(legacy())));
    client.exchange("nonsense", "7::");
    client.exchange("5:::{", "7::");
    client.post("\u{fffd}9\u{fffd}3:::a").check(400, "7::");
    client.exchange("3:::hello", "3:::hello");
    let answer = ask(client.addr, &format!("POST {}", client.path), "3:::\u{0}");
    answer.check(200, "1");
    client.get().check(200, "3:::\u{0}");
}

#[test]
fn bodies_have_a_limit() {
    let engine = engineio::Config::default().max_payload(1000);
    let client = Polling::connect(serve(application(legacy().engine(engine))));
    assert_eq!(client.post(&"3".repeat(1001)).status, 413);
    client.exchange("3:::hello", "3:::hello");
}

#[test]
fn a_poll_ends_after_a_while() {
    let short = Legacy::default().poll_duration(Duration::from_millis(50));
    let client = Polling::connect(serve(application(Config::default().legacy(short))));
    client.get().check(200, "8::");
    client.post("3:::hello").check(200, "1");
    gather(&client, &["3:::hello"]);
}

#[test]
fn a_second_poll_takes_the_place_of_the_first() {
    let client = Polling::connect(serve(application(legacy())));
    let (told, answers) = mpsc::channel();
    for _ in 0..2 {
        let poll = Asked::send(client.addr, &format!("GET {}", client.path), "");
        let told = told.clone();
        thread::spawn(move || told.send(poll.answer().body));
    }
    // Whichever comes later stays.
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), "8::");
    client.post("3:::hello").check(200, "1");
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), "3:::hello");
}

#[test]
fn polls_of_the_lost_lose_nothing() {
    let client = Polling::connect(serve(application(legacy())));
    drop(Asked::send(
        client.addr,
        &format!("GET {}", client.path),
        "",
    ));
    client.exchange("3:::hello", "3:::hello");
}

#[test]
fn jsonp() {
    let addr = serve(application(legacy()));
    let path = format!("/socket.io/1/jsonp-polling/{}?t=1&i=2", handshake(addr));
    let get = || ask(addr, &format!("GET {path}"), "");
    let first = get();
    first.check(200, r#"io.j[2]("1::");"#);
    first.has("content-type", "text/javascript; charset=UTF-8");
    first.has("x-xss-protection", "0");
    let head = format!("POST {path}\nContent-Type: application/x-www-form-urlencoded");
    // As a form has it: d="3:::a\n\"b\" é "
    let form = "d=%223%3A%3A%3Aa%5Cn%5C%22b%5C%22+%C3%A9%E2%80%A8%22";
    ask(addr, &head, form).check(200, "1");
    let expected = r#"io.j[2]("3:::a\n\"b\" é\u2028");"#;
    get().check(200, expected);
    assert_eq!(ask(addr, &head, "x=1").status, 400);
}
