//! The router, from outside: which handler answers, and what is said when none does.

mod common;

use common::{exchange, start};
use greenwire_http::router::OriginalUri;
use greenwire_http::{Config, Method, Request, Router};
use std::net::SocketAddr;
use std::panic::catch_unwind;

fn told(name: &'static str) -> impl Fn(Request) -> String {
    move |request| {
        let params = request.extensions().get::<greenwire_http::router::Params>();
        let params: Vec<_> = params.unwrap().iter().collect();
        format!("{name} {} {} {params:?}", request.method(), request.uri())
    }
}

fn original(request: Request) -> String {
    let uri = &request.extensions().get::<OriginalUri>().unwrap().0;
    format!("{} was {uri}", request.uri())
}

fn app() -> SocketAddr {
    let pages = Router::new()
        .get("/", told("cover"))
        .get("/pages/{page}", told("page"))
        .mount("/deep", Router::new().get("/{*rest}", original));
    let app = Router::new()
        .get("/", told("root"))
        .get("/users/{id}", told("user"))
        .post("/users/{id}", told("change"))
        .get("/users/me", told("me"))
        .delete("/users/{id}/posts/{post}", told("posts"))
        .get("/files/{*path}", told("files"))
        .get("/caf%C3%A9", told("café"))
        .any("/any", told("any"))
        .put("/any", told("put"))
        .route(Method::HEAD, "/head", |_: Request| "own")
        .get("/head", told("get"))
        .mount("/books/{book}", pages)
        .mount("/fixed", |request: Request| request.uri().to_string());
    start(Config::default(), app)
}

/// The status and the body, and `Allow` if there is one.
fn ask(addr: SocketAddr, method: &str, path: &str) -> String {
    let answer = exchange(
        addr,
        format!("{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = &head[9..12];
    let allow = head.lines().find_map(|line| line.strip_prefix("allow: "));
    match allow {
        Some(allow) => format!("{status} [{allow}] {}", body.trim_end()),
        None => format!("{status} {}", body.trim_end()),
    }
}

#[test]
fn paths_and_methods_choose() {
    let addr = app();
    for (method, path, expected) in [
        ("GET", "/", "200 root GET / []"),
        ("GET", "/?a=b", "200 root GET /?a=b []"),
        ("GET", "/users/7", r#"200 user GET /users/7 [("id", "7")]"#),
        (
            "POST",
            "/users/7",
            r#"200 change POST /users/7 [("id", "7")]"#,
        ),
        ("GET", "/users/me", "200 me GET /users/me []"),
        (
            "DELETE",
            "/users/7/posts/x",
            r#"200 posts DELETE /users/7/posts/x [("id", "7"), ("post", "x")]"#,
        ),
        (
            "GET",
            "/files/a/b/c",
            r#"200 files GET /files/a/b/c [("path", "a/b/c")]"#,
        ),
        ("GET", "/caf%C3%A9", "200 café GET /caf%C3%A9 []"),
        ("POST", "/any", "200 any POST /any []"),
        ("BREW", "/any", "200 any BREW /any []"),
        ("PUT", "/any", "200 put PUT /any []"),
        ("GET", "/nowhere", "404 not found"),
        ("GET", "/users/", "404 not found"),
        ("GET", "/users/7/", "404 not found"),
        ("GET", "/files/", "404 not found"),
        ("GET", "//", "404 not found"),
    ] {
        assert_eq!(ask(addr, method, path), expected, "{method} {path}");
    }
}

#[test]
fn parameters_are_decoded_once_and_never_make_segments() {
    let addr = app();
    for (path, expected) in [
        ("/users/a%2Fb", r#"("id", "a/b")"#),
        ("/users/%252F", r#"("id", "%2F")"#),
        ("/users/%C3%A9%20", r#"("id", "é ")"#),
        ("/users/a+b", r#"("id", "a+b")"#),
        ("/files/%2e%2e/x", r#"("path", "../x")"#),
    ] {
        let answer = ask(addr, "GET", path);
        assert!(
            answer.starts_with("200") && answer.contains(expected),
            "{answer}"
        );
    }
    assert_eq!(ask(addr, "GET", "/users/%FF"), "400 path is not UTF-8");
}

#[test]
fn other_methods_are_told_which_there_are() {
    let addr = app();
    assert_eq!(
        ask(addr, "DELETE", "/users/7"),
        "405 [GET, HEAD, OPTIONS, POST] method not allowed"
    );
    assert_eq!(
        ask(addr, "get", "/"),
        "405 [GET, HEAD, OPTIONS] method not allowed"
    );
    assert_eq!(
        ask(addr, "OPTIONS", "/users/7"),
        "204 [GET, HEAD, OPTIONS, POST] "
    );
    assert_eq!(ask(addr, "OPTIONS", "/any"), "200 any OPTIONS /any []");
    assert_eq!(ask(addr, "OPTIONS", "/nowhere"), "404 not found");
    assert_eq!(
        ask(addr, "OPTIONS", "*"),
        "204 [DELETE, GET, HEAD, OPTIONS, POST, PUT] "
    );
}

#[test]
fn head_is_get_without_a_body() {
    let addr = app();
    let head = |path| exchange(addr, format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    let get =
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 14\r\n\r\n";
    assert_eq!(head("/"), get);
    assert!(head("/head").contains("content-length: 3\r\n"));
    assert!(head("/nowhere").starts_with("HTTP/1.1 404"));
}

#[test]
fn what_is_mounted_sees_the_rest_of_the_path() {
    let addr = app();
    for (path, expected) in [
        ("/books/emma", r#"cover GET / [("book", "emma")]"#),
        ("/books/emma/", r#"cover GET / [("book", "emma")]"#),
        (
            "/books/emma/pages/7?x=y",
            r#"page GET /pages/7?x=y [("book", "emma"), ("page", "7")]"#,
        ),
        (
            "/books/a%2Fb/pages/%37",
            r#"page GET /pages/%37 [("book", "a/b"), ("page", "7")]"#,
        ),
        (
            "/books/emma/deep/a/b?c",
            "/a/b?c was /books/emma/deep/a/b?c",
        ),
        ("/fixed", "/"),
        ("/fixed//x/", "//x/"),
        ("/fixed/a%20b/..", "/a%20b/.."),
    ] {
        assert_eq!(ask(addr, "GET", path), format!("200 {expected}"), "{path}");
    }
    assert_eq!(ask(addr, "GET", "/books/emma/x"), "404 not found");
    assert_eq!(ask(addr, "GET", "/fixedly"), "404 not found");
    assert_eq!(
        ask(addr, "PUT", "/books/emma/pages/7"),
        "405 [GET, HEAD, OPTIONS] method not allowed"
    );
}

#[test]
fn a_fallback_answers_in_place_of_404() {
    let all = Router::new().mount("", |request: Request| format!("all {}", request.uri()));
    let addr = start(
        Config::default(),
        Router::new().get("/x", |_| "x").fallback(all),
    );
    assert_eq!(ask(addr, "GET", "/x"), "200 x");
    assert_eq!(ask(addr, "GET", "/x/y"), "200 all /x/y");
    assert_eq!(ask(addr, "GET", "/"), "200 all /");
}

#[test]
fn routes_that_cannot_be_are_refused_when_they_are_added() {
    let panics = |build: fn() -> Router| catch_unwind(build).is_err();
    assert!(panics(|| Router::new().get("no-slash", |_| "")));
    assert!(panics(|| Router::new().get("/{a}{b}", |_| "")));
    assert!(panics(|| Router::new().get("/{*a}/b", |_| "")));
    assert!(panics(|| Router::new().get("/a", |_| "").get("/a", |_| "")));
    assert!(panics(|| Router::new().any("/a", |_| "").any("/a", |_| "")));
    assert!(panics(|| {
        let router = Router::new().get("/{a}", |_| "");
        router.get("/{b}", |_| "")
    }));
    assert!(panics(|| Router::new().mount("/a/", Router::new())));
    assert!(panics(|| {
        let router = Router::new().mount("/a", Router::new());
        router.get("/a", |_| "")
    }));
    assert!(!panics(|| {
        let router = Router::new().mount("/a", Router::new());
        router.get("/a/b", |_| "").post("/a/b", |_| "")
    }));
}
