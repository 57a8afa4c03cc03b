//! Static files, from outside.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::files::Files;
use greenwire_http::{Config, Router};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("greenwire-files-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        for folder in ["root/docs", "root/.git", "outside"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        let folder = Folder(path);
        for (name, text) in [
            ("root/a.txt", "0123456789"),
            ("root/empty.css", ""),
            ("root/data.bin2", "\0\u{1}"),
            ("root/caf\u{e9}.html", "<p>"),
            ("root/docs/index.html", "the docs"),
            ("root/.git/config", "secret"),
            ("outside/secret.txt", "secret"),
        ] {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        let then = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(then).unwrap();
    }

    fn serve(&self) -> SocketAddr {
        let files = Files::new(self.0.join("root")).unwrap();
        let app = Router::new().mount("/static", files.clone());
        start(Config::default(), app.mount("", files))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const THEN: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
const ETAG: &str = "\"de0b6b3a7640000-a\"";

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
}

fn get(addr: SocketAddr, path: &str, headers: &str) -> String {
    exchange(addr, request("GET", path, headers))
}

#[test]
fn a_file_comes_with_all_that_is_known_of_it() {
    let folder = Folder::new("known");
    let addr = folder.serve();
    let head = format!(
        "HTTP/1.1 200 OK\r\netag: {ETAG}\r\nlast-modified: {THEN}\r\naccept-ranges: bytes\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: 10\r\n\r\n"
    );
    assert_eq!(get(addr, "/a.txt", ""), format!("{head}0123456789"));
    assert_eq!(
        get(addr, "/static/a.txt?x=y", ""),
        format!("{head}0123456789")
    );
    let two = request("HEAD", "/a.txt", "") + &request("GET", "/a.txt", "");
    assert_eq!(exchange(addr, two), format!("{head}{head}0123456789"));
    for (path, content_type) in [
        ("/empty.css", "text/css; charset=utf-8"),
        ("/data.bin2", "application/octet-stream"),
        ("/caf%C3%A9.html", "text/html; charset=utf-8"),
    ] {
        let line = format!("\r\ncontent-type: {content_type}\r\n");
        assert!(get(addr, path, "").contains(&line), "{path}");
    }
    let refused = exchange(addr, request("DELETE", "/a.txt", ""));
    assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("\r\nallow: GET, HEAD\r\n"));
}

#[test]
fn folders_have_an_index_and_a_slash() {
    let folder = Folder::new("index");
    let addr = folder.serve();
    assert!(get(addr, "/docs/", "").ends_with("\r\n\r\nthe docs"));
    for path in ["/docs", "/static/docs"] {
        let answer = get(addr, path, "");
        assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
        assert!(answer.contains("\r\nlocation: ./docs/\r\n"), "{answer}");
    }
    assert_eq!(statuses(&get(addr, "/", "")), ["404"]);
    assert_eq!(statuses(&get(addr, "/a.txt/", "")), ["404"]);
}

#[test]
fn nothing_leads_out_of_the_folder() {
    let folder = Folder::new("escape");
    let root = folder.0.join("root");
    symlink("a.txt", root.join("inside.txt")).unwrap();
    symlink("../outside/secret.txt", root.join("out.txt")).unwrap();
    symlink("../outside", root.join("out")).unwrap();
    symlink(folder.0.join("outside"), root.join("absolute")).unwrap();
    symlink("../root/a.txt", root.join("round.txt")).unwrap();
    let addr = folder.serve();
    for path in [
        "/../outside/secret.txt",
        "/docs/../../outside/secret.txt",
        "/%2e%2e/outside/secret.txt",
        "/..%2foutside/secret.txt",
        "/docs/..%2f..%2foutside/secret.txt",
        "/..%5coutside/secret.txt",
        "//outside/secret.txt",
        "/static/../../outside/secret.txt",
        "/static//etc/passwd",
        "/out.txt",
        "/out/secret.txt",
        "/absolute/secret.txt",
        "/.git/config",
        "/%2egit/config",
        "/a.txt%00",
        "/%FF",
    ] {
        let answer = get(addr, path, "");
        assert_eq!(statuses(&answer), ["404"], "{path}");
        assert!(!answer.contains("secret"), "{path}");
    }
    assert!(get(addr, "/inside.txt", "").ends_with("0123456789"));
    assert_eq!(statuses(&get(addr, "/round.txt", "")), ["404"]);
    let long = format!("/{}", "x".repeat(3000));
    assert_eq!(statuses(&get(addr, &long, "")), ["404"]);
}

#[test]
fn hidden_files_are_served_if_they_are_meant() {
    let folder = Folder::new("hidden");
    let files = Files::new(folder.0.join("root")).unwrap().hidden(true);
    let addr = start(Config::default(), files);
    assert!(get(addr, "/.git/config", "").ends_with("secret"));
    assert_eq!(statuses(&get(addr, "/../outside/secret.txt", "")), ["404"]);
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let folder = Folder::new("pipe");
    let pipe = folder.0.join("root/pipe");
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    assert_eq!(statuses(&get(folder.serve(), "/pipe", "")), ["404"]);
}

#[test]
fn a_client_that_has_it_gets_304() {
    let folder = Folder::new("fresh");
    let addr = folder.serve();
    let not_modified =
        format!("HTTP/1.1 304 Not Modified\r\netag: {ETAG}\r\nlast-modified: {THEN}\r\n\r\n");
    for headers in [
        format!("If-None-Match: {ETAG}\r\n"),
        format!("If-None-Match: \"x\", W/{ETAG}\r\n"),
        "If-None-Match: *\r\n".to_owned(),
        format!("If-Modified-Since: {THEN}\r\n"),
        "If-Modified-Since: Sun, 09 Sep 2001 01:46:41 GMT\r\n".to_owned(),
        format!("If-None-Match: {ETAG}\r\nRange: bytes=0-1\r\n"),
    ] {
        assert_eq!(get(addr, "/a.txt", &headers), not_modified, "{headers}");
    }
    for (headers, status) in [
        ("If-None-Match: \"x\"\r\n".to_owned(), "200"),
        (
            format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {THEN}\r\n"),
            "200",
        ),
        (
            "If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n".to_owned(),
            "200",
        ),
        ("If-Modified-Since: now\r\n".to_owned(), "200"),
        ("If-Match: \"x\"\r\n".to_owned(), "412"),
        (
            "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n".to_owned(),
            "412",
        ),
    ] {
        assert_eq!(
            statuses(&get(addr, "/a.txt", &headers)),
            [status],
            "{headers}"
        );
    }
    // A change is another version.
    folder.write("root/a.txt", "0123456789+");
    let answer = get(addr, "/a.txt", &format!("If-None-Match: {ETAG}\r\n"));
    assert!(answer.ends_with("0123456789+"));
}

#[test]
fn pieces() {
    let folder = Folder::new("pieces");
    let addr = folder.serve();
    let piece = |headers: &str| {
        let answer = get(addr, "/a.txt", headers);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let range = lines.find_map(|line| line.strip_prefix("content-range: "));
        format!("{} {} {body}", &head[9..12], range.unwrap_or("-"))
    };
    for (headers, expected) in [
        ("Range: bytes=2-4\r\n", "206 bytes 2-4/10 234"),
        ("Range: bytes=7-\r\n", "206 bytes 7-9/10 789"),
        ("Range: bytes=-1\r\n", "206 bytes 9-9/10 9"),
        ("Range: bytes=0-99\r\n", "206 bytes 0-9/10 0123456789"),
        ("Range: bytes=10-\r\n", "416 bytes */10 "),
        ("Range: bytes=-0\r\n", "416 bytes */10 "),
        ("Range: lines=2-4\r\n", "200 - 0123456789"),
        ("Range: bytes=4-2\r\n", "200 - 0123456789"),
        (
            "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n",
            "200 - 0123456789",
        ),
    ] {
        assert_eq!(piece(headers), expected, "{headers}");
    }
    let fresh = format!("Range: bytes=2-4\r\nIf-Range: {ETAG}\r\n");
    assert_eq!(piece(&fresh), "206 bytes 2-4/10 234");
    let fresh = format!("Range: bytes=2-4\r\nIf-Range: {THEN}\r\n");
    assert_eq!(piece(&fresh), "206 bytes 2-4/10 234");
    let head = exchange(addr, request("HEAD", "/a.txt", "Range: bytes=2-4\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-length: 10\r\n"));
    let nothing = get(addr, "/empty.css", "Range: bytes=0-\r\n");
    assert!(nothing.starts_with("HTTP/1.1 416"));
}

#[test]
fn several_pieces_come_as_parts() {
    let folder = Folder::new("parts");
    let answer = get(folder.serve(), "/a.txt", "Range: bytes=-1, 0-1\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 206"), "{head}");
    let boundary = head
        .split_once("multipart/byteranges; boundary=")
        .unwrap()
        .1;
    let boundary = boundary.lines().next().unwrap();
    let part = |range: &str, text: &str| {
        format!(
            "\r\n--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-range: bytes {range}/10\r\n\r\n{text}"
        )
    };
    let parts = part("9-9", "9") + &part("0-1", "01");
    let expected = format!("{parts}\r\n--{boundary}--\r\n");
    assert_eq!(body, expected);
    assert!(
        head.ends_with(&format!("content-length: {}", expected.len())),
        "{head}"
    );
}

#[test]
fn large_files_come_whole() {
    let folder = Folder::new("large");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    folder.write("root/large.txt", &bytes);
    let addr = folder.serve();
    let text = String::from_utf8(bytes).unwrap();
    let answer = get(addr, "/large.txt", "");
    assert!(answer.split_once("\r\n\r\n").unwrap().1 == text);
    let answer = get(addr, "/large.txt", "Range: bytes=1000000-2999998\r\n");
    assert!(answer.split_once("\r\n\r\n").unwrap().1 == &text[1_000_000..2_999_999]);
}

#[test]
fn a_file_that_shrinks_does_not_look_complete() {
    let folder = Folder::new("shrinks");
    folder.write("root/large.txt", vec![b'x'; 64 << 20]);
    let addr = folder.serve();
    let mut client = Client::new(addr);
    client.send(request("GET", "/large.txt", ""));
    // The server cannot have read all of it while nobody takes it.
    assert!(
        client
            .read_until("\r\n\r\n")
            .contains("content-length: 67108864\r\n")
    );
    folder.write("root/large.txt", "x");
    assert!(client.read_to_close().len() < 64 << 20);
}

#[test]
fn a_folder_that_does_not_exist_is_an_error() {
    let error = Files::new("/nowhere/at/all").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn an_open_file_is_an_answer() {
    use greenwire_system::fs::File;
    let folder = Folder::new("answer");
    let path = folder.0.join("root/a.txt");
    let server = greenwire_http::Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve(move |_| File::open(&path)));
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\
        content-length: 10\r\n\r\n0123456789";
    assert_eq!(get(addr, "/", ""), expected);
    drop(folder);
    assert_eq!(statuses(&get(addr, "/", "")), ["500"]);
}
