//! A SockJS service with OS threads in place of green ones: the same program.

#[path = "sockjs/client.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod client;

use client::{Stream, ask, fresh, post};
use greenwire_http::{Router, Server};
use greenwire_realtime::sockjs;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_same_program_on_os_threads() {
    let mode = greenwire_runtime::Builder::new().os_threads(true);
    mode.start()
        .expect("nothing has started the runtime before");
    let echo = sockjs::Config::default()
        .heartbeat(Duration::from_millis(20))
        .disconnect_delay(Duration::from_millis(200))
        .service(|mut session| {
            while let Some(message) = session.receive()? {
                session.send(message)?;
            }
            Ok(())
        });
    let service = echo.clone();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve_handler(Router::new().mount("/x", service)));

    let path = fresh("/x");
    let mut stream = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    stream.chunk();
    stream.expect("o\n");
    stream.expect("h\n");
    post(addr, &format!("{path}/xhr_send"), "[\"a\"]").check(204, "");
    while stream.chunk().unwrap() != "a[\"a\"]\n" {}
    drop(stream);

    let mut ws = greenwire_websocket::connect(&format!("ws://{addr}{path}/websocket")).unwrap();
    ws.send("[\"b\"]").unwrap();
    while ws.receive().unwrap() != Some("a[\"b\"]".into()) {}
    drop(ws);

    ask(addr, &format!("POST {}/xhr", fresh("/x")), "").check(200, "o\n");
    // The keeper finds out about all three.
    let begin = std::time::Instant::now();
    while echo.sessions() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{echo:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
