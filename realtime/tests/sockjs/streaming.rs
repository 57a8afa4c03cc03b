//! `xhr_streaming`, `eventsource` and `htmlfile`: one frame is one chunk.

use super::client::{Stream, fresh, post};
use super::services;

#[test]
fn xhr_streaming() {
    let addr = services();
    let session = fresh("/echo");
    let mut stream = Stream::open(addr, &format!("POST {session}/xhr_streaming"), "");
    stream
        .answer()
        .has("content-type", "application/javascript; charset=UTF-8");
    stream.expect(&format!("{}\n", "h".repeat(2048)));
    stream.expect("o\n");
    // The 31st frame passes 4096 bytes, frames counted and the prelude not.
    let message = format!("[\"{}\"]", "x".repeat(128));
    for _ in 0..31 {
        post(addr, &format!("{session}/xhr_send"), &message).check(204, "");
        stream.expect(&format!("a{message}\n"));
    }
    stream.expect_end();
    post(addr, &format!("{session}/xhr_send"), r#"["next"]"#).check(204, "");
    post(addr, &format!("{session}/xhr"), "").check(200, "a[\"next\"]\n");
}

#[test]
fn eventsource() {
    let addr = services();
    let session = fresh("/echo");
    let mut stream = Stream::open(addr, &format!("GET {session}/eventsource"), "");
    stream.answer().has("content-type", "text/event-stream");
    stream.expect("\r\n");
    stream.expect("data: o\r\n\r\n");
    post(
        addr,
        &format!("{session}/xhr_send"),
        r#"["  \u0000\n\r %"]"#,
    )
    .check(204, "");
    stream.expect("data: a[\"  \\u0000\\n\\r %25\"]\r\n\r\n");
    let message = format!("[\"{}\"]", "x".repeat(4096));
    post(addr, &format!("{session}/xhr_send"), &message).check(204, "");
    stream.expect(&format!("data: a{message}\r\n\r\n"));
    stream.expect_end();
}

#[test]
fn htmlfile() {
    let addr = services();
    let session = fresh("/echo");
    let mut stream = Stream::open(addr, &format!("GET {session}/htmlfile?c=%63allback"), "");
    stream
        .answer()
        .has("content-type", "text/html; charset=UTF-8");
    let head = stream.chunk().unwrap();
    assert!(head.len() > 1024, "{head}");
    assert!(
        head.starts_with("<!doctype html>\n<html><head>\n"),
        "{head}"
    );
    assert!(
        head.contains("    var c = parent.callback;\n    c.start();\n"),
        "{head}"
    );
    stream.expect("<script>\np(\"o\");\n</script>\r\n");
    post(addr, &format!("{session}/xhr_send"), r#"["</script>"]"#).check(204, "");
    stream.expect("<script>\np(\"a[\\\"\\u003c/script>\\\"]\");\n</script>\r\n");
    let text = "x".repeat(4096);
    post(
        addr,
        &format!("{session}/xhr_send"),
        &format!("[\"{text}\"]"),
    )
    .check(204, "");
    stream.expect(&format!(
        "<script>\np(\"a[\\\"{text}\\\"]\");\n</script>\r\n"
    ));
    stream.expect_end();
}
