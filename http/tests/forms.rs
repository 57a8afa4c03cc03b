//! What a handler reads of a request: queries, forms, JSON, cookies, files.

mod common;

use common::{Client, exchange, start};
use greenwire_http::{Config, Cookie, Error, IntoResponse, Request, RequestExt, Response, Router};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;
use std::net::SocketAddr;

#[derive(Debug, Deserialize)]
struct Search {
    words: String,
    page: Option<u32>,
}

impl Search {
    fn into_text(self) -> String {
        format!("{} {:?}", self.words, self.page)
    }
}

fn multipart(mut request: Request) -> Result<String, Error> {
    request.body_mut().set_limit(8 << 20);
    let mut form = request.multipart()?;
    let mut said = String::new();
    while let Some(mut field) = form.next_field()? {
        let name = field.name().unwrap_or("-").to_owned();
        let file = field.file_name().unwrap_or("-").to_owned();
        let content_type = field.content_type().unwrap_or("-").to_owned();
        let data = match name.as_str() {
            "large" => std::io::copy(&mut field, &mut std::io::sink())?.to_string(),
            "skipped" => "skipped".to_owned(),
            "part" => {
                let mut three = [0; 3];
                field.read_exact(&mut three)?;
                String::from_utf8_lossy(&three).into_owned()
            }
            _ => field.read_text()?,
        };
        said += &format!("{name} {file} {content_type} {data:?};");
    }
    Ok(said)
}

fn cookies(request: Request) -> String {
    let all: Vec<String> = request
        .cookies()
        .map(|cookie| format!("{}={:?}", cookie.name(), cookie.value()))
        .collect();
    format!("{all:?} {:?}", request.cookie("b"))
}

fn set_cookie(_: Request) -> Response {
    let cookie = Cookie::build(("name", "a value;\r\nx: y")).http_only(true);
    (cookie.build(), (Cookie::new("two", "2"), "set")).into_response()
}

fn server() -> SocketAddr {
    let app = Router::new()
        .get("/query", |request| request.query().map(Search::into_text))
        .post("/form", |mut request: Request| {
            request.form().map(Search::into_text)
        })
        .post("/json", |mut request: Request| {
            request.json().map(Search::into_text)
        })
        .post("/any-json", |mut request: Request| {
            request.json::<Value>().map(|json| json.to_string())
        })
        .post("/multipart", multipart)
        .get("/cookies", cookies)
        .get("/set", set_cookie)
        .get("/bad-cookie", |_| {
            (Cookie::build(("a", "b")).path("/\r\nx: y").build(), "set")
        });
    start(Config::default(), app)
}

#[track_caller]
fn check(request: &str, status: &str, body: &str) {
    let answer = exchange(server(), request);
    let (head, told) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!((&head[9..12], told), (status, body));
}

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
}

fn post(path: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn queries() {
    check(
        &get("/query?words=a%20b+c&page=2&x=y", ""),
        "200",
        "a b c Some(2)",
    );
    check(&get("/query?words=%C3%A9", ""), "200", "é None");
    check(
        &get("/query", ""),
        "400",
        "malformed query: missing field `words`",
    );
    let wrong = "malformed query: invalid digit found in string";
    check(&get("/query?words=a&page=x", ""), "400", wrong);
}

#[test]
fn forms() {
    check(
        &post("/form", FORM, "words=a+b&page=2"),
        "200",
        "a b Some(2)",
    );
    let with_charset = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    check(&post("/form", with_charset, "words=a"), "200", "a None");
    check(
        &post("/form", FORM, "page=2"),
        "400",
        "malformed form: missing field `words`",
    );
    let expected = "the body must be application/x-www-form-urlencoded";
    check(&post("/form", "text/plain", "words=a"), "415", expected);
}

#[test]
fn json() {
    let body = r#"{"words": "a", "page": 3}"#;
    check(&post("/json", "application/json", body), "200", "a Some(3)");
    check(
        &post("/json", "application/problem+json; x=y", body),
        "200",
        "a Some(3)",
    );
    check(
        &post("/json", FORM, body),
        "415",
        "the body must be application/json",
    );
    let reason = "malformed JSON: EOF while parsing an object at line 1 column 1";
    check(&post("/json", "application/json", "{"), "400", reason);
    // Deep nesting is refused, and does not overflow a stack.
    let deep = "[".repeat(100_000);
    let answer = exchange(server(), post("/json", "application/json", &deep));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[test]
fn json_takes_only_so_much_of_a_stack() {
    let nested = |depth| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let ask = |depth| post("/any-json", "application/json", &nested(depth));
    check(&ask(64), "200", &nested(64));
    let reason = "malformed JSON: it is nested too deep";
    for depth in [65, 127, 100_000] {
        check(&ask(depth), "400", reason);
    }
}

#[test]
fn cookies_are_read() {
    check(
        &get(
            "/cookies",
            "Cookie: a=1; b=x%20y; bad; c=3\r\nCookie: d=4\r\n",
        ),
        "200",
        "[\"a=\\\"1\\\"\", \"b=\\\"x y\\\"\", \"c=\\\"3\\\"\", \"d=\\\"4\\\"\"] Some(\"x y\")",
    );
    check(&get("/cookies", ""), "200", "[] None");
}

#[test]
fn cookies_are_set() {
    let answer = exchange(server(), get("/set", ""));
    let lines: Vec<&str> = answer
        .lines()
        .filter(|line| line.starts_with("set-"))
        .collect();
    assert_eq!(
        lines,
        [
            "set-cookie: two=2",
            "set-cookie: name=a%20value%3B%0D%0Ax%3A%20y; HttpOnly"
        ]
    );
    check(&get("/bad-cookie", ""), "500", "internal server error");
}

/// A form of these parts: headers and data.
fn parts(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(headers, data)| {
        format!("--xyz\r\nContent-Disposition: form-data; {headers}\r\n\r\n{data}\r\n")
    });
    parts.collect::<String>() + "--xyz--\r\n"
}

const MULTIPART: &str = "multipart/form-data; boundary=xyz";

#[test]
fn files_come_by_multipart() {
    let body = parts(&[
        ("name=\"a\"", "one\r\n--xy"),
        ("name=\"skipped\"", &"s".repeat(100_000)),
        (
            "name=\"part\"; filename=\"../../x\"\r\nContent-Type: image/png",
            "abcdef",
        ),
        ("name=\"large\"", &"l".repeat(1_000_000)),
        ("name=\"empty\"", ""),
    ]);
    check(
        &post("/multipart", MULTIPART, &body),
        "200",
        "a - - \"one\\r\\n--xy\";skipped - - \"skipped\";part ../../x image/png \"abc\";\
         large - - \"1000000\";empty - - \"\";",
    );
    let quoted = "multipart/form-data; boundary=\"xyz\"";
    let one = parts(&[("name=a", "1")]);
    check(&post("/multipart", quoted, &one), "200", "a - - \"1\";");
    check(&post("/multipart", MULTIPART, "--xyz--\r\n"), "200", "");
}

#[test]
fn multipart_however_it_is_cut() {
    let addr = server();
    let body = parts(&[("name=\"a\"", "one\r\n-"), ("name=\"b\"", "\r\n")]);
    let request = post("/multipart", MULTIPART, &body);
    let expected = exchange(addr, &request);
    assert!(
        expected.ends_with("a - - \"one\\r\\n-\";b - - \"\\r\\n\";"),
        "{expected}"
    );
    for at in request.len() - body.len()..request.len() {
        let mut client = Client::new(addr);
        client.send(&request[..at]);
        client.send(&request[at..]);
        assert_eq!(client.finish(), expected, "cut at {at}");
    }
}

#[test]
fn malformed_multipart_is_refused() {
    for (content_type, body, status) in [
        ("text/plain", "", "415"),
        ("multipart/mixed; boundary=xyz", "", "415"),
        ("multipart/form-data", "", "400"),
        (MULTIPART, "", "400"),
        (MULTIPART, "--xyz", "400"),
        (MULTIPART, "--xyz\r\n", "400"),
        (
            MULTIPART,
            "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf",
            "400",
        ),
        (
            MULTIPART,
            "--xyz\r\nno colon\r\n\r\nx\r\n--xyz--\r\n",
            "400",
        ),
        (MULTIPART, &"x".repeat(1_000_000), "400"),
        (
            MULTIPART,
            &format!("--xyz\r\nx: {}", "y".repeat(1_000_000)),
            "400",
        ),
        (
            MULTIPART,
            &parts(&[("name=\"a\"", &"x".repeat(9 << 20))]),
            "413",
        ),
    ] {
        let mut client = Client::new(server());
        let bytes = post("/multipart", content_type, body);
        let mut sender = client.0.try_clone().unwrap();
        // The server may close before it has taken all.
        let sending = std::thread::spawn(move || {
            let _ = std::io::Write::write_all(&mut sender, bytes.as_bytes());
        });
        let answer = client.read_until("\r\n\r\n");
        assert_eq!(&answer[9..12], status, "{content_type}: {answer}");
        sending.join().unwrap();
    }
}
