//! Tables for the parser of request heads.

use super::*;
use crate::protocol::scanner::Scanner;

/// Scans and parses `bytes` that arrive in pieces of `step`.
fn parse(bytes: &[u8], step: usize, config: &Config) -> String {
    let mut scanner = Scanner::default();
    let mut end = 0;
    loop {
        match scanner.scan(&bytes[..end], config) {
            Err(refusal) => return refusal.status.as_str().to_owned(),
            Ok(Some(extent)) => {
                let head = &bytes[extent.start..extent.end];
                return outcome(super::parse(head, extent.headers));
            }
            Ok(None) if end == bytes.len() => return "more".to_owned(),
            Ok(None) => end = (end + step).min(bytes.len()),
        }
    }
}

fn outcome(parsed: Result<Head, Refusal>) -> String {
    match parsed {
        Err(refusal) => refusal.status.as_str().to_owned(),
        Ok(head) => describe(&head),
    }
}

fn describe(head: &Head) -> String {
    let Head {
        asked,
        framing,
        keep_alive,
        expects_continue,
    } = head;
    let headers = asked.collect_headers(HeaderMap::new());
    let host = headers.get(HOST).map_or("", |host| host.to_str().unwrap());
    let kept = if *keep_alive { "keep" } else { "close" };
    let expect = if *expects_continue { " expect" } else { "" };
    format!(
        "{} {} {host} {framing:?} {kept}{expect}",
        asked.method, asked.uri
    )
}

#[track_caller]
fn check_with(config: &Config, bytes: impl AsRef<[u8]>, expected: &str) {
    let bytes = bytes.as_ref();
    for step in [1, 2, 3, 5, bytes.len().max(1)] {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(
            parse(bytes, step, config),
            expected,
            "{text:?} in steps of {step}"
        );
    }
    if let Some((parsed, _)) = parse_at_once(bytes, config) {
        assert_eq!(outcome(parsed), expected, "at once");
    }
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, expected: &str) {
    check_with(&Config::default(), bytes, expected);
}

/// One request of HTTP/1.1 with these further header lines.
#[track_caller]
fn check_headers(lines: &str, expected: &str) {
    check(
        format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n"),
        expected,
    );
}

#[test]
fn good_heads() {
    check("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h Empty keep");
    check(
        "\r\nGET /a?b=c HTTP/1.1\r\nhost:h:80\r\n\r\nmore",
        "GET /a?b=c h:80 Empty keep",
    );
    check("GET / HTTP/1.0\r\n\r\n", "GET /  Empty close");
    check(
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        "GET /  Empty keep",
    );
    check(
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        "GET /  Empty close",
    );
    check(
        "BREW /p HTTP/1.1\r\nHost:\r\nX:\t y \r\n\r\n",
        "BREW /p  Empty keep",
    );
    check_headers(
        "Connection: x\r\nConnection: Close\r\n",
        "POST / h Empty close",
    );
    for host in [
        "",
        "a_b.c-d",
        "a:",
        "a:80",
        "[::1]",
        "[::1]:80",
        "1.2.3.4:5",
    ] {
        check(
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &format!("GET / {host} Empty keep"),
        );
    }
    check_headers("Content-Length: 0\r\n", "POST / h Empty keep");
    check_headers("Content-Length: 017\r\n", "POST / h Length(17) keep");
    check_headers("Transfer-Encoding: Chunked\r\n", "POST / h Chunked keep");
    check_headers("Expect: 100-Continue\r\n", "POST / h Empty keep expect");
}

#[test]
fn forms_of_the_target() {
    check(
        "GET http://a:1/x HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET http://a:1/x a:1 Empty keep",
    );
    check(
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * h Empty keep",
    );
    check(
        "GET //a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET //a h Empty keep",
    );
    for target in [
        "*",
        "a",
        "a:80",
        "ftp://a/",
        "http://u@a/",
        "http:///x",
        "http://a:b/",
        "http://a:123456/",
        "/a#b",
        "?",
        "/\u{7f}",
        "/?\u{7f}",
        "/?a#b",
        "",
        "/\u{1}",
        "/\ta",
        "/?\0",
    ] {
        check(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), "400");
    }
    check("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "501");
}

#[test]
fn a_part_waits_for_more() {
    for part in [
        "",
        "\r",
        "\r\n",
        "GET",
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "GET / HTTP/1.1\r\n\r",
    ] {
        check(part, "more");
    }
}

#[test]
fn malformed_request_lines() {
    for line in [
        "GET /",
        "GET",
        "GET / HTTP",
        "GET / http/1.1",
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET /a b HTTP/1.1",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / XHTTP/1.1",
        "GET /\0 HTTP/1.1",
        "\u{16}\u{3}\u{1}",
        "/ HTTP/1.1",
        "GET / HTTP/11",
    ] {
        check(format!("{line}\r\nHost: h\r\n\r\n"), "400");
    }
    check("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400");
    for version in ["0.9", "1.2", "2.0", "3.0"] {
        check(format!("GET / HTTP/{version}\r\nHost: h\r\n\r\n"), "505");
    }
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505");
}

#[test]
fn malformed_headers() {
    for line in [
        "X : y",
        "X",
        ": y",
        " X: y",
        "X: y\r\n folded",
        "X: y\r\n\tfolded",
        "X: a\0b",
        "X: a\rb",
        "X: a\u{1}",
        "X y: z",
        "X: y\r",
        "X\u{e9}: y",
        "Host: h",
        "Connection",
    ] {
        check_headers(&format!("{line}\r\n"), "400");
    }
    check("GET / HTTP/1.1\nHost: h\n\n", "400");
    check("GET / HTTP/1.1\r\nHost: h\n\r\n", "400");
    check("GET / HTTP/1.1\r\nHost: h\r\n\n", "400");
    check("GET / HTTP/1.1\r\n\r\n", "400");
    check("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400");
    for host in [
        "a, b", "a b", "a/b", "u@a", "a\"", "<a>", "[", "[::1", "::1", "a:b", "a:80:80", "[::1]a",
        "[a/b]", "a:123456", "[]]", "a]",
    ] {
        check(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400");
    }
    check_headers("Expect: 200-ok\r\n", "417");
}

#[test]
fn framing_that_two_parsers_may_read_differently_is_refused() {
    let lengths = [
        "",
        "+5",
        "-5",
        "5,5",
        "5, 5",
        "0x5",
        "5 5",
        "5_0",
        "5.0",
        "\u{b2}",
        "18446744073709551616",
    ];
    for length in lengths {
        check_headers(&format!("Content-Length: {length}\r\n"), "400");
    }
    check_headers("Content-Length: 5\r\nContent-Length: 6\r\n", "400");
    check_headers("Content-Length: 5\r\nContent-Length: 5\r\n", "400");
    check_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400");
    check_headers("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "400");
    check_headers(
        "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
        "400",
    );
    for coding in [
        "",
        "identity",
        "xchunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;q=1",
        "\"chunked\"",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: identity",
        "\u{b}chunked",
        "chunked\0",
    ] {
        check_headers(&format!("Transfer-Encoding: {coding}\r\n"), "400");
    }
    check_headers("Transfer-Encoding: gzip, chunked\r\n", "501");
    check_headers(
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "501",
    );
    check_headers("Transfer-Encoding : chunked\r\n", "400");
    check_headers("Content-Length : 5\r\n", "400");
    check(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400",
    );
}

#[test]
fn sizes_beyond_the_limits() {
    let x = |count| "x".repeat(count);
    check(
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", x(8193)),
        "414",
    );
    check(format!("GET /{}", x(9000)), "414");
    check(
        format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}", x(33_000)),
        "431",
    );
    check(
        format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", x(33_000)),
        "431",
    );
    let lines = |count| {
        format!(
            "GET / HTTP/1.1\r\nHost: h\r\n{}\r\n",
            "X: y\r\n".repeat(count)
        )
    };
    check(lines(99), "GET / h Empty keep");
    check(lines(100), "431");
    let config = Config::default().max_headers(1).max_request_line(14);
    check_with(&config, lines(0), "GET / h Empty keep");
    check_with(&config, lines(1), "431");
    check_with(&config, "GET /a HTTP/1.1\r\n", "414");
}

#[test]
fn usual_heads_are_parsed_at_once_and_no_others() {
    let config = Config::default().max_headers(2).max_request_line(14);
    let is_usual = |text: &str| parse_at_once(text.as_bytes(), &config).is_some();
    for usual in [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\nmore",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\nX:\t y \r\n\r\n",
    ] {
        assert!(is_usual(usual), "{usual:?}");
    }
    for other in [
        "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "GET / HTTP/1.1\r\nHost: h\n\n",
        "GET / HTTP/1.0\n\r\n",
        "GET / HTTP/1.0\r\n\n",
        "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\nX: y\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n",
    ] {
        assert!(!is_usual(other), "{other:?}");
    }
}

#[test]
fn whatever_is_let_through_finds_its_way_into_the_map() {
    for byte in 0..=u8::MAX {
        for (before, after) in [
            ("X", ": y\r\n"),
            ("X: y", "z\r\n"),
            ("X:", "\r\n"),
            ("X: ", "\r\n"),
        ] {
            let mut head = b"GET / HTTP/1.1\r\nHost: h\r\n".to_vec();
            head.extend_from_slice(before.as_bytes());
            head.push(byte);
            head.extend_from_slice(after.as_bytes());
            head.extend_from_slice(b"\r\n");
            let Some((Ok(parsed), _)) = parse_at_once(&head, &Config::default()) else {
                continue;
            };
            let mut room = [httparse::EMPTY_HEADER; 2];
            let mut request = httparse::Request::new(&mut room);
            request.parse(&head).unwrap();
            let headers = parsed.asked.collect_headers(HeaderMap::new());
            let pairs = headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes()));
            let found = request
                .headers
                .iter()
                .map(|line| (line.name.to_ascii_lowercase(), line.value));
            assert!(pairs.eq(found), "{:?}", String::from_utf8_lossy(&head));
        }
    }
}
