//! `xhr`, `xhr_send`, `jsonp` and `jsonp_send`.

use super::client::{Stream, ask, fresh, get, post};
use super::services;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[test]
fn xhr() {
    let addr = services();
    let session = fresh("/echo");
    let (receive, send) = (format!("{session}/xhr"), format!("{session}/xhr_send"));
    post(addr, &receive, "")
        .check(200, "o\n")
        .has("content-type", "application/javascript; charset=UTF-8");
    post(addr, &send, r#"["x"]"#)
        .check(204, "")
        .has("content-type", "text/plain; charset=UTF-8");
    post(addr, &receive, "").check(200, "a[\"x\"]\n");
    post(addr, &send, "[]").check(204, "");
    for content_type in [
        "text/plain",
        "T",
        "application/json",
        "",
        "text/xml; charset=utf-8",
    ] {
        let head = format!("POST {send}\nContent-Type: {content_type}");
        ask(addr, &head, r#"["a"]"#).check(204, "");
    }
    let mut got = 0;
    while got < 5 {
        got += post(addr, &receive, "").body.matches("\"a\"").count();
    }
    get(addr, &receive)
        .check(405, "")
        .has("allow", "OPTIONS, POST")
        .has("content-type", "");
}

#[test]
fn the_server_part_of_the_path_means_nothing() {
    let addr = services();
    let id = fresh("").rsplit('/').next().unwrap().to_owned();
    post(addr, &format!("/echo/000/any{id}/xhr"), "").check(200, "o\n");
    post(addr, &format!("/echo/111/any{id}/xhr_send"), r#"["a"]"#).check(204, "");
    post(addr, &format!("/echo/999/any{id}/xhr"), "").check(200, "a[\"a\"]\n");
    for path in ["/_/_", "/1/1", "/abcdefgh_i-j%20/abcdefg_i-j%20"] {
        post(addr, &format!("/echo{path}{id}/xhr"), "").check(200, "o\n");
    }
}

#[test]
fn what_cannot_be_sent() {
    let addr = services();
    let unknown = fresh("/echo");
    post(addr, &format!("{unknown}/xhr_send"), r#"["x"]"#).check(404, "");
    let head = format!("POST {unknown}/jsonp_send\n{FORM}");
    ask(addr, &head, "d=%5B%5D").check(404, "");

    let session = fresh("/echo");
    post(addr, &format!("{session}/xhr"), "").check(200, "o\n");
    let send = format!("{session}/xhr_send");
    post(addr, &send, "[\"x").check(500, "Broken JSON encoding.");
    post(addr, &send, "[1]").check(500, "Broken JSON encoding.");
    post(addr, &send, "").check(500, "Payload expected.");
    post(addr, &send, r#"["still here"]"#).check(204, "");
    post(addr, &format!("{session}/xhr"), "").check(200, "a[\"still here\"]\n");
}

#[test]
fn jsonp() {
    let addr = services();
    let session = fresh("/echo");
    let receive = format!("{session}/jsonp?c=%63allback");
    get(addr, &receive)
        .check(200, "/**/callback(\"o\");\r\n")
        .has("content-type", "application/javascript; charset=UTF-8")
        .has("x-content-type-options", "nosniff");
    let send = format!("POST {session}/jsonp_send\n{FORM}");
    ask(addr, &send, "d=%5B%22x%22%5D")
        .check(200, "ok")
        .has("content-type", "text/plain; charset=UTF-8");
    get(addr, &receive).check(200, "/**/callback(\"a[\\\"x\\\"]\");\r\n");

    let plain = format!("POST {session}/jsonp_send\nContent-Type: text/plain");
    ask(addr, &plain, r#"["%61bc"]"#).check(200, "ok");
    get(addr, &receive).check(200, "/**/callback(\"a[\\\"%61bc\\\"]\");\r\n");

    ask(addr, &send, "d=%5B%22x").check(500, "Broken JSON encoding.");
    for empty in ["", "d=", "p=p"] {
        ask(addr, &send, empty).check(500, "Payload expected.");
    }
    ask(addr, &send, "d=%5B%5D").check(200, "ok");
}

#[test]
fn callbacks_are_names() {
    let addr = services();
    for endpoint in ["jsonp", "htmlfile"] {
        let path = format!("{}/{endpoint}", fresh("/echo"));
        get(addr, &path).check(500, "\"callback\" parameter required");
        for bad in ["%20", "*", "abc(", "abc%28", "%3Cscript%3E"] {
            get(addr, &format!("{path}?c={bad}")).check(500, "invalid \"callback\" parameter");
        }
    }
}

#[test]
fn characters_that_browsers_spoil() {
    let addr = services();
    let session = fresh("/echo");
    post(addr, &format!("{session}/xhr"), "").check(200, "o\n");
    let spoiled = |range: [(u32, u32); 5]| range.into_iter().flat_map(|(first, last)| first..=last);
    let ranges = [
        (0x200c, 0x200f),
        (0x2028, 0x202f),
        (0x2060, 0x206f),
        (0xfff0, 0xfffd),
        (0xfffe, 0xffff),
    ];
    let raw: String = spoiled(ranges)
        .map(|code| char::from_u32(code).unwrap())
        .collect();
    let escaped: String = spoiled(ranges)
        .map(|code| format!("\\u{code:04x}"))
        .collect();
    for sent in [&raw, &escaped] {
        post(
            addr,
            &format!("{session}/xhr_send"),
            &format!("[\"{sent}\"]"),
        )
        .check(204, "");
        post(addr, &format!("{session}/xhr"), "").check(200, &format!("a[\"{escaped}\"]\n"));
    }
    // Half of a pair is no character; a whole one is.
    let pairs = r#"["\ud83d\ude00\ud83d"]"#;
    post(addr, &format!("{session}/xhr_send"), pairs).check(204, "");
    post(addr, &format!("{session}/xhr"), "").check(200, "a[\"😀\\ufffd\"]\n");
}

#[test]
fn an_old_client_gets_an_answer_without_chunks() {
    let addr = services();
    let greeting = Stream::open(addr, "GET /echo HTTP/1.0", "");
    greeting
        .answer()
        .has("content-length", "19")
        .has("transfer-encoding", "");
    assert_eq!(greeting.rest(), "Welcome to SockJS!\n");

    let streaming = format!(
        "POST {}/xhr_streaming HTTP/1.0\nConnection: keep-alive",
        fresh("/close")
    );
    let streaming = Stream::open(addr, &streaming, "");
    streaming
        .answer()
        .has("transfer-encoding", "")
        .has("content-length", "");
    let prelude = "h".repeat(2048);
    assert_eq!(
        streaming.rest(),
        format!("{prelude}\no\nc[3000,\"Go away!\"]\n")
    );
}
