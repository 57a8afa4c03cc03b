//! Unmodified clients: `socket.io-client` from npm in many versions, `python-socketio` from PyPI. The stories themselves
//! are `tests/browser/socketio_node.mjs` and `tests/python/socketio_client.py` of the workspace.
//!
//! `npm ci` in `tests/browser` and `.ci/run` install them.

use super::start;
use greenwire_http::Router;
use greenwire_realtime::socketio::{Args, Binary, Config, Error, Recovery, Server, Socket};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn node() {
    if !root().join("tests/browser/node_modules/sio-475").exists() {
        return skip("socket.io-client (`npm ci` in tests/browser)");
    }
    let story = root().join("tests/browser/socketio_node.mjs");
    tell(
        Command::new("node").arg(story),
        [serve(), serve_returning()],
    );
}

#[test]
fn python() {
    let python = root().join("target/python/bin/python");
    let has_client = Command::new(&python)
        .args(["-c", "import socketio"])
        .output();
    if !has_client.is_ok_and(|output| output.status.success()) {
        return skip("python-socketio (in target/python)");
    }
    let story = root().join("tests/python/socketio_client.py");
    tell(Command::new(python).arg(story), [serve()]);
}

fn root() -> PathBuf {
    let realtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    realtime.parent().unwrap().to_owned()
}

fn skip(missing: &str) {
    let note = format!("skipped: {missing} not found");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{note}"
    );
    let _ = writeln!(std::io::stderr(), "{note}");
}

fn tell<const N: usize>(story: &mut Command, addrs: [SocketAddr; N]) {
    let urls = addrs.map(|addr| format!("http://{addr}"));
    let output = story.args(urls).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

/// What the stories talk to.
fn serve() -> SocketAddr {
    let io = Server::new();
    io.of("/").on_connect(talk);
    io.of_pattern("/game-*").on_connect(|socket| {
        socket.emit("welcome", socket.namespace().name()).unwrap();
        socket.on("kick me", |socket, ()| socket.disconnect());
    });
    io.of("/no").before_connect(|_| {
        let data = serde_json::json!({"code": 7});
        Err(Error::refused_with("Auth failed (custom namespace)", data))
    });
    start(Router::new().mount("/socket.io", io))
}

/// One to which clients may come back.
fn serve_returning() -> SocketAddr {
    let io = Config::default().recovery(Recovery::default()).server();
    io.on_connect(|socket| {
        socket.on("join", |socket, room: String| socket.join(room));
        socket.on("count", |socket, number: u32| {
            socket.to("counting").emit("count", number)
        });
    });
    start(Router::new().mount("/socket.io", io))
}

fn talk(socket: &Socket) {
    socket.on("whoami", |socket, ()| {
        let handshake = socket.handshake();
        let name = handshake.query().get("name").cloned();
        (handshake.auth().clone(), name, socket.id().to_owned())
    });
    socket.on("echo", |_, args: Args| args);
    socket.on("reverse", |_, bytes: Binary| {
        let reversed: Vec<u8> = bytes.as_ref().iter().rev().copied().collect();
        Binary::from(reversed)
    });
    socket.on("ask me", |socket, number: i64| {
        socket.emit_with_ack("question", number)
    });
    socket.on("number", |socket, number: i64| {
        socket.emit("number", number)
    });
    socket.on("join", |socket, room: String| socket.join(room));
    socket.on(
        "tell",
        |socket, (room, text, bytes): (String, String, Binary)| {
            socket.to(room).emit("told", (text, bytes))
        },
    );
    socket.on("ask all", |socket, (room, number): (String, i64)| {
        let everybody = socket.namespace().to(room);
        let answers = everybody.emit_with_ack("question", number)?;
        let numbers: Result<Vec<i64>, Error> = answers.iter().map(|args| args.get(0)).collect();
        Ok::<_, Error>((numbers?,))
    });
    socket.on("who is in", |socket, room: String| {
        let sockets = socket.namespace().to(room).fetch_sockets()?;
        let mut ids: Vec<_> = sockets
            .iter()
            .map(|socket| socket.id().to_owned())
            .collect();
        ids.sort();
        Ok::<_, Error>((ids,))
    });
    socket.on_disconnecting(|socket, reason| {
        for room in socket.rooms() {
            let _ = socket.to(room).emit("left", reason.as_str());
        }
    });
}
