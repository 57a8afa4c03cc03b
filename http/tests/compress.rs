//! Compressed responses, unpacked by another implementation's rules.

mod common;

use common::{Client, start};
use flate2::read::{GzDecoder, ZlibDecoder};
use greenwire_http::files::Files;
use greenwire_http::middleware::{AccessLog, Compress};
use greenwire_http::{Body, Config, IntoResponse, Json, Request, Response, StatusCode, sse};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::mpsc::channel;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

static TEXT: LazyLock<String> = LazyLock::new(|| "all work and no play ".repeat(5000));

fn app(request: Request) -> Response {
    let text = TEXT.as_str();
    match request.uri().path() {
        "/text" => text.into_response(),
        "/json" => Json([text]).into_response(),
        "/short" => "short".into_response(),
        "/bytes" => text.as_bytes().to_vec().into_response(),
        "/stream" => (
            [("content-type", "text/plain")],
            Body::from_iter(text.split_inclusive(' ')),
        )
            .into_response(),
        "/etag" => ([("etag", "\"1\""), ("accept-ranges", "bytes")], text).into_response(),
        "/encoded" => ([("content-encoding", "br")], text).into_response(),
        "/part" => (StatusCode::PARTIAL_CONTENT, text).into_response(),
        "/no-transform" => ([("cache-control", "max-age=1, no-transform")], text).into_response(),
        "/events" => sse::stream(|events| events.send("x".repeat(2000))),
        "/flush" => flushed().into_response(),
        _ => ().into_response(),
    }
}

/// Sends the first part, and the second one when the first one was flushed.
fn flushed() -> ([(&'static str, &'static str); 1], Body) {
    let body = Body::writer(|out| {
        out.write_all(b"first")?;
        out.flush()?;
        greenwire_runtime::thread::park_timeout(Duration::from_secs(600));
        Ok(())
    });
    ([("content-type", "text/html")], body)
}

fn server() -> SocketAddr {
    start(Config::default(), Compress::new(app))
}

/// The head without the date, and the body without its chunks.
fn ask(addr: SocketAddr, method: &str, path: &str, accept: &str) -> (String, Vec<u8>) {
    let mut client = Client::new(addr);
    client.send(format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accept}\r\n\r\n"
    ));
    client.0.shutdown(Shutdown::Write).unwrap();
    let head = client.read_until("\r\n\r\n");
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).unwrap();
    match head.contains("transfer-encoding: chunked") {
        true => (head, unchunked(&rest)),
        false => (head, rest),
    }
}

/// The data of all chunks that are whole.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let Some(chunk) = bytes.get(end + 2..end + 2 + size) else {
            break;
        };
        data.extend_from_slice(chunk);
        bytes = bytes.get(end + 4 + size..).unwrap_or_default();
    }
    data
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_client_gets_the_coding_that_it_wants() {
    let addr = server();
    for path in ["/text", "/stream"] {
        let (head, body) = ask(addr, "GET", path, "gzip, br");
        assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{head}");
        assert!(head.contains("\r\nvary: accept-encoding\r\n"), "{head}");
        assert!(body.len() < TEXT.len() / 10);
        assert!(gunzip(&body) == *TEXT, "{path}");

        let (head, body) = ask(addr, "GET", path, "deflate");
        assert!(head.contains("\r\ncontent-encoding: deflate\r\n"), "{head}");
        let mut text = String::new();
        ZlibDecoder::new(&*body).read_to_string(&mut text).unwrap();
        assert!(text == *TEXT, "{path}");

        let (head, body) = ask(addr, "GET", path, "br, identity");
        assert!(!head.contains("content-encoding"), "{head}");
        assert!(head.contains("\r\nvary: accept-encoding\r\n"), "{head}");
        assert!(body == TEXT.as_bytes());
    }
    let (_, body) = ask(addr, "GET", "/json", "gzip");
    assert!(gunzip(&body).starts_with("[\"all work"));
}

#[test]
fn the_length_is_that_of_what_is_sent() {
    let (head, body) = ask(server(), "GET", "/text", "gzip");
    assert!(
        head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())),
        "{head}"
    );
    let (head, body) = ask(server(), "HEAD", "/text", "gzip");
    assert!(head.contains("\r\ncontent-encoding: gzip\r\n") && body.is_empty());
    assert!(!head.contains("content-length"), "{head}");
}

#[test]
fn the_version_is_a_weak_one() {
    let (head, _) = ask(server(), "GET", "/etag", "gzip");
    assert!(head.contains("\r\netag: W/\"1\"\r\n"), "{head}");
    assert!(!head.contains("accept-ranges"), "{head}");
    let (head, _) = ask(server(), "GET", "/etag", "");
    assert!(head.contains("\r\netag: \"1\"\r\n"), "{head}");
}

#[test]
fn some_are_left_as_they_are() {
    let addr = server();
    for path in [
        "/short",
        "/bytes",
        "/encoded",
        "/part",
        "/no-transform",
        "/events",
        "/204",
    ] {
        let (head, body) = ask(addr, "GET", path, "gzip");
        assert!(!head.contains("content-encoding: gzip"), "{head}");
        assert!(!body.starts_with(&[0x1f, 0x8b]), "{path}");
    }
}

#[test]
fn what_is_flushed_arrives() {
    let mut client = Client::new(server());
    client.send("GET /flush HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    client.read_until("\r\n\r\n");
    let mut bytes = Vec::new();
    let mut decoded = String::new();
    while decoded.len() < 5 {
        let mut buf = [0; 1024];
        let count = client.0.read(&mut buf).unwrap();
        assert_ne!(count, 0, "closed");
        bytes.extend_from_slice(&buf[..count]);
        decoded = prefix(&bytes);
    }
    assert_eq!(decoded, "first");
}

/// What can be unpacked of the chunks that are there.
fn prefix(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    let _ = GzDecoder::new(&*unchunked(bytes)).read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn what_is_logged_is_what_is_sent() {
    let (sender, lines) = channel();
    let sender = Mutex::new(sender);
    let app = AccessLog::common(Compress::new(app)).to(move |line| {
        sender.lock().unwrap().send(line.to_owned()).unwrap();
    });
    let (_, body) = ask(start(Config::default(), app), "GET", "/stream", "gzip");
    let line = lines.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(line.ends_with(&format!(" 200 {}", body.len())), "{line}");
}

#[test]
fn files_are_compressed_but_not_their_parts() {
    let folder = std::env::temp_dir().join(format!("greenwire-compress-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), &*TEXT).unwrap();
    let addr = start(
        Config::default(),
        Compress::new(Files::new(&folder).unwrap()),
    );
    let (_, body) = ask(addr, "GET", "/a.txt", "gzip");
    assert!(gunzip(&body) == *TEXT);
    let (head, body) = ask(addr, "GET", "/a.txt", "gzip\r\nRange: bytes=0-2999");
    assert!(head.starts_with("HTTP/1.1 206"), "{head}");
    assert!(body == TEXT.as_bytes()[..3000]);
    std::fs::remove_dir_all(&folder).unwrap();
}
