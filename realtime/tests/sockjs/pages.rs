//! What is there without a session.

use super::client::{ask, get, post};
use super::{echo, serve, services, steady};

#[test]
fn the_greeting() {
    let addr = services();
    for path in ["/echo", "/echo/"] {
        get(addr, path)
            .check(200, "Welcome to SockJS!\n")
            .has("content-type", "text/plain; charset=UTF-8")
            .has("set-cookie", "");
    }
    post(addr, "/echo", "")
        .check(405, "")
        .has("allow", "GET, HEAD")
        .has("content-type", "");
}

#[test]
fn nothing_else_is_there() {
    let addr = services();
    for path in [
        "/a",
        "/a.html",
        "//",
        "///",
        "/a/a",
        "/a/a/",
        "/a/",
        "/iframe",
        "/IFRAME.HTML",
        "/iframe-/.html",
    ] {
        assert_eq!(get(addr, &format!("/echo{path}")).status, 404, "{path}");
    }
    for path in ["//", "/a./a", "/a/a.", "/./.", "/", "///"] {
        let path = format!("/echo{path}/xhr");
        assert_eq!(
            (get(addr, &path).status, post(addr, &path, "").status),
            (404, 404),
            "{path}"
        );
    }
}

#[test]
fn the_page_for_frames_may_be_kept() {
    let addr = serve(steady().client_url("/own.js").service(echo));
    let first = get(addr, "/x/iframe.html");
    assert_eq!(first.status, 200);
    first
        .has("content-type", "text/html; charset=UTF-8")
        .has("cache-control", "public, max-age=31536000")
        .has("last-modified", "")
        .has("set-cookie", "");
    assert!(first.header("expires").ends_with(" GMT"));
    assert!(
        first.body.starts_with("<!DOCTYPE html>\n<html>\n<head>\n"),
        "{}",
        first.body
    );
    assert!(
        first.body.contains("<script src=\"/own.js\"></script>"),
        "{}",
        first.body
    );

    for version in ["-a", "-", "-0.1.2", "-0.1.2abc-dirty.2144"] {
        let again = get(addr, &format!("/x/iframe{version}.html?t=1234"));
        again
            .check(200, &first.body)
            .has("etag", first.header("etag"));
    }
    let known = format!(
        "GET /x/iframe.html\nIf-None-Match: {}",
        first.header("etag")
    );
    ask(addr, &known, "").check(304, "").has("content-type", "");
}

#[test]
fn the_information_is_fresh() {
    let addr = services();
    let entropy = |body: &str| {
        let expected = r#"{"websocket":true,"cookie_needed":false,"origins":["*:*"],"entropy":"#;
        let number = body
            .strip_prefix(expected)
            .and_then(|rest| rest.strip_suffix('}'));
        number
            .unwrap_or_else(|| panic!("{body}"))
            .parse::<u32>()
            .unwrap()
    };
    let (first, second) = (get(addr, "/echo/info"), get(addr, "/echo/info"));
    first
        .has("content-type", "application/json; charset=UTF-8")
        .has(
            "cache-control",
            "no-store, no-cache, no-transform, must-revalidate, max-age=0",
        )
        .has("expires", "")
        .has("access-control-allow-origin", "*");
    assert_ne!(entropy(&first.body), entropy(&second.body));
    let without = get(addr, "/disabled_websocket_echo/info").body;
    assert!(
        without.starts_with(r#"{"websocket":false,"cookie_needed":false,"#),
        "{without}"
    );
    let with_cookie = get(addr, "/cookie_needed_echo/info");
    assert!(
        with_cookie.body.contains(r#""cookie_needed":true,"#),
        "{with_cookie:?}"
    );
    with_cookie.has("set-cookie", "");
}
