//! What handlers return, and what a client gets for it.

mod common;

use common::exchange;
use greenwire_http::{
    Body, HeaderMap, HeaderValue, IntoResponse, Json, Redirect, Request, Server, StatusCode,
};
use std::collections::HashMap;

/// The whole answer for a value.
fn sent<T: IntoResponse + 'static>(value: fn() -> T) -> String {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve(move |_: Request| value()));
    exchange(addr, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
}

#[track_caller]
fn check<T: IntoResponse + 'static>(value: fn() -> T, expected: &str) {
    assert_eq!(sent(value), format!("HTTP/1.1 {expected}"));
}

const TEXT: &str = "content-type: text/plain; charset=utf-8\r\n";
const BYTES: &str = "content-type: application/octet-stream\r\n";

#[test]
fn text_and_bytes() {
    let text = format!("200 OK\r\n{TEXT}content-length: 2\r\n\r\nhi");
    check(|| "hi", &text);
    check(|| "hi".to_owned(), &text);
    let bytes = format!("200 OK\r\n{BYTES}content-length: 2\r\n\r\nhi");
    check(|| b"hi".to_vec(), &bytes);
    check(|| b"hi".as_slice(), &bytes);
    check(|| Body::from("hi"), "200 OK\r\ncontent-length: 2\r\n\r\nhi");
}

#[test]
fn statuses_and_results() {
    check(|| (), "204 No Content\r\n\r\n");
    check(
        || StatusCode::ACCEPTED,
        "202 Accepted\r\ncontent-length: 0\r\n\r\n",
    );
    let not_found = format!("404 Not Found\r\n{TEXT}content-length: 9\r\n\r\nnot found");
    check(|| None::<&str>, &not_found);
    let teapot = format!("418 I'm a teapot\r\n{TEXT}content-length: 3\r\n\r\ntea");
    check(|| (StatusCode::IM_A_TEAPOT, "tea"), &teapot);
    check(|| Err::<(), _>((StatusCode::IM_A_TEAPOT, "tea")), &teapot);
}

#[test]
fn headers_replace_those_of_the_value() {
    check(
        || {
            (
                [("content-type", "text/x"), ("x-a", "1"), ("x-a", "2")],
                "hi",
            )
        },
        "200 OK\r\ncontent-type: text/x\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nhi",
    );
    check(
        || {
            let mut headers = HeaderMap::new();
            headers.insert("x-a", HeaderValue::from_static("1"));
            (StatusCode::CREATED, headers, ())
        },
        "201 Created\r\nx-a: 1\r\ncontent-length: 0\r\n\r\n",
    );
}

#[test]
fn a_header_cannot_split_the_response() {
    let answer = sent(|| ([("x-a", "1\r\nx-b: 2")], "hi"));
    assert!(
        answer.starts_with("HTTP/1.1 500") && !answer.contains("x-b"),
        "{answer}"
    );
    let answer = sent(|| ([("x a", "1")], "hi"));
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    let answer = sent(|| Redirect::to("/x\r\nset-cookie: a=b"));
    assert!(
        answer.contains("\r\nlocation: /x%0D%0Aset-cookie:%20a=b\r\n"),
        "{answer}"
    );
}

#[test]
fn json() {
    let json = "200 OK\r\ncontent-type: application/json\r\n";
    check(
        || Json([1, 2]),
        &format!("{json}content-length: 5\r\n\r\n[1,2]"),
    );
    check(
        || Json(HashMap::from([("a", "\u{2028}\"</script>")])),
        &format!("{json}content-length: 22\r\n\r\n{{\"a\":\"\u{2028}\\\"</script>\"}}"),
    );
    let answer = sent(|| Json(HashMap::from([((1, 2), 3)])));
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
}

#[test]
fn redirects() {
    let located = |status: &str, location: &str| {
        format!("{status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
    };
    check(
        || Redirect::to("/a?b=c#d"),
        &located("303 See Other", "/a?b=c#d"),
    );
    check(|| Redirect::to("/é"), &located("303 See Other", "/%C3%A9"));
    check(
        || Redirect::temporary("https://a.example/"),
        &located("307 Temporary Redirect", "https://a.example/"),
    );
    check(
        || Redirect::permanent("b%20c"),
        &located("308 Permanent Redirect", "b%20c"),
    );
}
