//! The same server with an OS thread for each connection, and what handlers use on it: a process of its own.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::files::Files;
use greenwire_http::middleware::{Compress, Timeout};
use greenwire_http::{Body, Config, Handler, Request, Response, Router, debug, sse};
use greenwire_runtime::{Builder, thread};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, Once};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn handle(mut request: Request) -> Response {
    assert!(!thread::is_green());
    match request.uri().path() {
        "/echo" => Response::new(request.body_mut().read_to_vec().unwrap().into()),
        "/pieces" => Response::new(Body::writer(|out| {
            out.write_all(b"one")?;
            out.write_all(b"two")
        })),
        _ => Response::new("hello".into()),
    }
}

fn serve(handler: impl Handler) -> SocketAddr {
    static MODE: Once = Once::new();
    MODE.call_once(|| Builder::new().os_threads(true).start().unwrap());
    start(Config::default(), handler)
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn answers_of_one_batch_leave_in_one_write() {
    let mut client = Client::new(serve(handle));
    client.send(GET.repeat(100));
    let mut buf = vec![0; 64 << 10];
    let count = client.0.read(&mut buf).unwrap();
    let answer = String::from_utf8_lossy(&buf[..count]);
    assert_eq!(statuses(&answer).len(), 100);
    assert!(answer.ends_with("hello"));
}

#[test]
fn bodies_come_and_go() {
    let mut client = Client::new(serve(handle));
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(
        client.read_until("\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.send("ok");
    client.read_until("ok");
    client.send(GET.replace("/ ", "/pieces ") + GET);
    let answer = client.read_until("hello");
    assert!(
        answer.contains("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200"),
        "{answer}"
    );
}

fn get(addr: SocketAddr, path: &str, headers: &str) -> String {
    exchange(
        addr,
        format!("GET {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n"),
    )
}

#[test]
fn files_and_compression() {
    let name = format!("greenwire-os-threads-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "abc ".repeat(100_000)).unwrap();
    let files = Files::new(&folder).unwrap();
    let app = Router::new().mount("/plain", files.clone());
    let addr = serve(app.mount("/packed", Compress::new(files)));
    assert!(get(addr, "/plain/a.txt", "").len() > 400_000);
    let piece = get(addr, "/plain/a.txt", "Range: bytes=4-6\r\n");
    assert!(piece.ends_with("\r\n\r\nabc"), "{piece}");
    let packed = get(addr, "/packed/a.txt", "Accept-Encoding: gzip\r\n");
    assert!(packed.contains("content-encoding: gzip\r\n") && packed.len() < 40_000);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_handler_is_cut_short_where_it_waits_by_our_means() {
    let slow = |_: Request| thread::sleep(Duration::from_secs(600));
    let app = Router::new().mount("", Timeout::new(slow, Duration::from_millis(20)));
    assert_eq!(statuses(&get(serve(app), "/", "")), ["503"]);
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn who_sends_events_learns_that_nobody_reads() {
    let (sender, ended) = channel();
    let sender = Mutex::new(sender);
    let app = Router::new().get("/", move |_| {
        let told = Told(sender.lock().unwrap().clone());
        sse::stream(move |events| {
            let _told = told;
            loop {
                events.send("tick")?;
                thread::sleep(Duration::from_millis(1));
            }
        })
    });
    let mut client = Client::new(serve(app));
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_until("data: tick\n\n");
    drop(client);
    ended.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn there_are_no_green_threads_to_show() {
    let addr = serve(Router::new().mount("/debug/green", debug::green()));
    let shown = get(addr, "/debug/green/json", "");
    assert!(
        shown.contains("\"workers\":0,") && shown.contains("\"threads\":[]"),
        "{shown}"
    );
    assert_eq!(statuses(&get(addr, "/debug/green/metrics", "")), ["200"]);
}
