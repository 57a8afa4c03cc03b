//! Socket.IO 0.9: on raw bytes, and with its last client, unmodified. Its clients and today's are in the same rooms.

mod client;
mod polling;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod websocket;

use greenwire_http::{Router, Server, files::Files, html};
use greenwire_realtime::socketio::{self, Args, Config, Legacy};
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn real_clients() {
    let addr = serve(application(legacy()));
    let packages = ["sio-0.9.17", "socket.io-client"];
    support::node::tell("socketio_legacy.mjs", &packages, &[&addr.to_string()]);
}

#[test]
fn real_clients_in_a_browser() {
    let client = support::node::package("sio-0.9.17").join("dist");
    if !client.exists() {
        return support::redis_server::skip("sio-0.9.17 (`npm ci` in tests/browser)");
    }
    let page = "<!DOCTYPE html><script src=/client/socket.io.js></script><body>";
    let site = Router::new()
        .get("/", move |_| html(page))
        .mount("/client", Files::new(client).unwrap())
        .mount("/socket.io", application(legacy()));
    let addr = serve_site(site).to_string();
    support::node::tell_with_chromium("socketio_legacy_browser.mjs", &addr);
}

/// Starts a server that lives as long as the test program.
fn serve(io: socketio::Server) -> SocketAddr {
    serve_site(Router::new().mount("/socket.io", io))
}

fn serve_site(site: Router) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve_handler(site));
    addr
}

/// With the defaults, and JSONP.
fn legacy() -> Config {
    Config::default().legacy(Legacy::default().jsonp(true))
}

/// What the stories talk to.
fn application(config: Config) -> socketio::Server {
    let io = config.server();
    for namespace in [io.of("/"), io.of("/chat")] {
        namespace.on("message", |socket, args: Args| socket.emit("message", args));
        namespace.on("echo", |socket, args: Args| socket.emit("echoed", args));
        namespace.on("add", |_, (a, b): (i64, i64)| a + b);
        namespace.on("ask", |socket, ()| {
            let answer = socket.emit_with_ack("question", "how many?")?;
            socket.emit("thanks", answer)
        });
        namespace.on("join", |socket, room: String| socket.join(room));
        namespace.on("tell", |socket, (room, text): (String, String)| {
            socket.namespace().to(room).emit("told", text)
        });
        namespace.on("leave me", |socket, ()| socket.disconnect());
        namespace.on("go", |socket, ()| socket.disconnect_client());
    }
    io.of("/closed")
        .before_connect(|_| Err(socketio::Error::refused("nobody")));
    io.of("/secret")
        .before_connect(|socket| match socket.handshake().auth()["token"] == "abc" {
            true => Ok(()),
            false => Err(socketio::Error::refused("who are you?")),
        });
    io
}

/// Lets nobody in.
fn closed() -> socketio::Server {
    let io = legacy().server();
    io.of("/")
        .before_connect(|_| Err(socketio::Error::refused("nobody")));
    io
}
