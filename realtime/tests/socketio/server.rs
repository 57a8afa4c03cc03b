//! What handlers and the server itself can do: a client on a raw websocket sees what comes of it.

use super::client::Ws;
use super::{start, steady};
use greenwire_http::Router;
use greenwire_realtime::socketio::{Args, Binary, Config, Error, Event, Failure, Server, Socket};
use greenwire_runtime::thread;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const PATH: &str = "/socket.io/";

/// A server, and where it is.
fn server() -> (Server, SocketAddr) {
    let io = Config::default().engine(steady()).server();
    let addr = start(Router::new().mount("/socket.io", io.clone()));
    (io, addr)
}

/// In a namespace, and the id there.
fn join(addr: SocketAddr, namespace: &str) -> (Ws, String) {
    let mut ws = Ws::open(addr, PATH);
    ws.send(&format!("40{namespace}"));
    let reply = ws.receive();
    let json = reply.split_once('{').unwrap().1;
    let id = json.split('"').nth(3).unwrap().to_owned();
    (ws, id)
}

/// Asks something, whose answer comes after all that was sent before it.
#[track_caller]
fn sync(ws: &mut Ws) {
    ws.send("421000[\"sync\"]").expect("431000[]");
}

#[test]
fn handlers_of_one_event_are_called_in_order() {
    let (io, addr) = server();
    let root = io.of("/");
    root.on_any(|socket, event| drop(socket.emit("any", event.name())));
    root.on("x", |socket, args: Args| drop(socket.emit("first", args)));
    root.on_connect(|socket| {
        socket.on("x", |_, (a, b): (i64, Option<String>)| (a + 1, b));
        socket.on("x", |_, ()| "not the first answer");
    });
    let (mut ws, _) = join(addr, "");
    ws.send(r#"425["x",1]"#)
        .expect(r#"42["any","x"]"#)
        .expect(r#"42["first",1]"#)
        .expect("435[2,null]");
    // Nobody handles it, so nobody answers.
    ws.send(r#"426["y"]"#).expect(r#"42["any","y"]"#);
}

#[test]
fn an_answer_may_be_given_later() {
    let (io, addr) = server();
    io.of("/").on("later", |socket, event: Event| {
        let ack = event.take_ack().unwrap();
        assert!(event.take_ack().is_none());
        socket.spawn(move || {
            thread::sleep(Duration::from_millis(10));
            ack.send(("late", Binary::from(vec![1]))).unwrap();
        });
    });
    let (mut ws, _) = join(addr, "");
    ws.send(r#"427["later"]"#)
        .expect(r#"461-7["late",{"_placeholder":true,"num":0}]"#)
        .expect_bytes(&[1]);
}

#[test]
fn the_server_asks() {
    let (io, addr) = server();
    io.of("/").on("go", |socket, ()| {
        let answer = socket.emit_with_ack("q", (1, "two"))?;
        let (number, text): (i64, String) = (answer.get(0)?, answer.get(1)?);
        socket.emit("got", (number, text))
    });
    io.of("/").on("hurry", |socket, ()| {
        let limit = Duration::from_millis(10);
        match socket.timeout(limit).emit_with_ack("q", ()) {
            Err(Error::Timeout(_)) => socket.emit("nothing", ()),
            other => panic!("{other:?}"),
        }
    });
    io.of("/").on("then", |socket, ()| {
        socket.emit_then("q", (), |socket, args| drop(socket.emit("then got", args)))
    });
    let (mut ws, _) = join(addr, "");
    ws.send(r#"42["go"]"#).expect(r#"420["q",1,"two"]"#);
    ws.send(r#"430[7,"x"]"#).expect(r#"42["got",7,"x"]"#);
    ws.send(r#"42["hurry"]"#)
        .expect(r#"421["q"]"#)
        .expect(r#"42["nothing"]"#);
    // Too late; and twice.
    ws.send("431[]").send("430[1]");
    ws.send(r#"42["then"]"#).expect(r#"422["q"]"#);
    ws.send(r#"432["fine"]"#).expect(r#"42["then got","fine"]"#);
}

#[test]
fn who_waits_for_an_answer_hears_of_the_end() {
    let (io, addr) = server();
    let (told, hears) = mpsc::channel();
    io.of("/").on("go", move |socket, ()| {
        let failed = matches!(socket.emit_with_ack("q", ()), Err(Error::Closed));
        told.send(failed).unwrap();
    });
    let (mut ws, _) = join(addr, "");
    ws.send(r#"42["go"]"#).expect(r#"420["q"]"#);
    drop(ws);
    assert!(hears.recv_timeout(super::PATIENCE).unwrap());
}

#[test]
fn rooms() {
    let (io, addr) = server();
    io.of("/").on("sync", |_, ()| ());
    io.of("/")
        .on("to", |socket, (room, except): (String, String)| {
            socket.to(room).except(except).emit("said", "x")
        });
    let (mut ann, ann_id) = join(addr, "");
    let (mut ben, ben_id) = join(addr, "");
    let (mut cid, cid_id) = join(addr, "");
    let root = io.of("/");
    let find = |id: &str| root.socket(id).unwrap();
    find(&ann_id).join("red");
    find(&ben_id).join("red");
    find(&ben_id).join("blue");
    let said = r#"42["said","x"]"#;

    ann.send(r#"42["to","red","-"]"#);
    ben.expect(said);
    ann.send(r#"42["to","red","blue"]"#);
    sync(&mut ann);
    sync(&mut ben);
    root.to("red").to("blue").emit("said", "x").unwrap();
    ann.expect(said);
    ben.expect(said);
    sync(&mut cid);
    root.except("blue").emit("said", "x").unwrap();
    ann.expect(said);
    cid.expect(said);
    root.to(&cid_id).sockets_join("blue").unwrap();
    root.to("blue").emit("said", "x").unwrap();
    ben.expect(said);
    cid.expect(said);
    root.to("blue").sockets_leave("blue").unwrap();
    root.to("blue").emit("said", "x").unwrap();
    sync(&mut ben);
    let known = root.to("red").fetch_sockets().unwrap();
    let mut ids: Vec<_> = known.iter().map(|socket| socket.id()).collect();
    ids.sort_unstable();
    let mut expected = [ann_id.as_str(), &ben_id];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    root.to("red").disconnect_sockets().unwrap();
    ann.expect("41");
    ben.expect("41");
    assert_eq!(root.all().fetch_sockets().unwrap().len(), 1);
    root.to(&cid_id).disconnect_clients().unwrap();
    cid.expect_close();
}

#[test]
fn a_broadcast_with_answers() {
    let (io, addr) = server();
    let (mut ann, _) = join(addr, "");
    let (mut ben, _) = join(addr, "");
    let asking = thread::spawn(move || {
        let all = io.of("/").all();
        let both = all.emit_with_ack("q", ()).unwrap();
        let hasty = all
            .timeout(Duration::from_millis(10))
            .emit_with_ack("q", ());
        (both, hasty)
    });
    ann.expect(r#"420["q"]"#).send("430[1]");
    ben.expect(r#"420["q"]"#).send("430[2]");
    ann.expect(r#"421["q"]"#);
    let (both, hasty) = asking.join().unwrap();
    let mut numbers: Vec<i64> = both.iter().map(|args| args.get(0).unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert!(matches!(hasty, Err(Error::Timeout(answers)) if answers.is_empty()));
}

#[test]
fn who_may_come_and_what_may_be_said() {
    let (io, addr) = server();
    let failures = Arc::new(Mutex::new(Vec::new()));
    let hook = failures.clone();
    io.on_error(move |_: &Socket, failure: &Failure| {
        hook.lock().unwrap().push(failure.to_string());
    });
    let guarded = io.of("/guarded");
    guarded.before_connect(|socket| match socket.handshake().auth()["name"].as_str() {
        Some(name) => socket.data().set("name", name),
        None => Err(Error::refused("who are you?")),
    });
    guarded.before_event(|_, event| match event.name() {
        "forbidden" => Err(Error::refused("not that")),
        _ => Ok(()),
    });
    guarded.on("forbidden", |_, ()| -> () { panic!("it is forbidden") });
    guarded.on("name", |socket, ()| socket.data().get::<String>("name"));
    guarded.on("number", |_, number: u8| number);
    guarded.on("panic", |_, ()| -> () { panic!("at the disco") });
    guarded.on("sync", |_, ()| ());
    let (mut ws, _) = {
        let mut ws = Ws::open(addr, PATH);
        ws.send("40/guarded,")
            .expect(r#"44/guarded,{"message":"who are you?"}"#);
        let joined = ws.send(r#"40/guarded,{"name":"Ann"}"#).receive();
        (ws, joined)
    };
    ws.send(r#"42/guarded,1["forbidden"]"#)
        .send(r#"42/guarded,2["number",256]"#)
        .send(r#"42/guarded,3["panic"]"#)
        .send(r#"42/guarded,4["name"]"#)
        .expect(r#"43/guarded,4["Ann"]"#);
    let failures = failures.lock().unwrap();
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_eq!(failures[0], r#"handler of "forbidden": not that"#);
    assert!(failures[1].starts_with(r#"handler of "number": arguments: "#));
    assert_eq!(failures[2], r#"handler of "panic" panicked: at the disco"#);
}

#[test]
fn namespaces_that_are_made_for_clients() {
    let (io, addr) = server();
    let games = io.of_pattern("/game-*");
    games.on_connect(|socket| drop(socket.emit("welcome", socket.namespace().name())));
    io.of_matching(|name, _, auth| name.len() > 3 && auth["key"] == 7)
        .on_connect(|socket| drop(socket.emit("key", ())));
    let (mut ann, _) = join(addr, "/game-1,");
    ann.expect(r#"42/game-1,["welcome","/game-1"]"#);
    let (mut ben, _) = join(addr, "/game-2,");
    ben.expect(r#"42/game-2,["welcome","/game-2"]"#);
    games.emit("to all", ()).unwrap();
    ann.expect(r#"42/game-1,["to all"]"#);
    ben.expect(r#"42/game-2,["to all"]"#);
    let mut cid = Ws::open(addr, PATH);
    cid.send("40/locked,")
        .expect(r#"44/locked,{"message":"Invalid namespace"}"#);
    cid.send(r#"40/locked,{"key":7}"#).receive();
    cid.expect(r#"42/locked,["key"]"#);
    drop((ann, ben, cid));
    let start = std::time::Instant::now();
    while io.namespaces().len() > 1 {
        assert!(start.elapsed() < super::PATIENCE, "{:?}", io.namespaces());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_end_is_told_last() {
    let (io, addr) = server();
    let (told, hears) = mpsc::channel();
    let events = told.clone();
    io.of("/").on("slow", move |_, number: i64| {
        thread::sleep(Duration::from_millis(20));
        events.send(number.to_string()).unwrap();
    });
    let rooms = told.clone();
    io.of("/").on_disconnecting(move |socket, _| {
        rooms.send(format!("{:?}", socket.rooms().len())).unwrap()
    });
    io.of("/").on_disconnect(move |socket, reason| {
        told.send(format!("{reason} {}", socket.rooms().len()))
            .unwrap();
    });
    let (mut ws, id) = join(addr, "");
    io.of("/").socket(&id).unwrap().join("red");
    ws.send(r#"42["slow",1]"#)
        .send(r#"42["slow",2]"#)
        .send("41");
    let told: Vec<String> = (0..4)
        .map(|_| hears.recv_timeout(super::PATIENCE).unwrap())
        .collect();
    assert_eq!(told, ["1", "2", "2", "client namespace disconnect 0"]);
}

#[test]
fn threads_of_a_client_end_with_it() {
    struct Told(mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (io, addr) = server();
    let (told, hears) = mpsc::channel();
    io.on_connect(move |socket| {
        let told = Told(told.clone());
        socket.spawn(move || {
            let _told = told;
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        });
    });
    let (ws, _) = join(addr, "");
    drop(ws);
    hears.recv_timeout(super::PATIENCE).unwrap();
}

#[test]
fn the_server_closes() {
    let (io, addr) = server();
    let (told, hears) = mpsc::channel();
    io.of("/")
        .on_disconnect(move |_, reason| told.send(reason.to_string()).unwrap());
    let (mut ws, _) = join(addr, "");
    assert_eq!(io.clients(), 1);
    io.close();
    assert_eq!(ws.expect_close(), Some(1001));
    assert_eq!(
        hears.recv_timeout(super::PATIENCE).unwrap(),
        "server shutting down"
    );
}

#[test]
fn a_client_that_reads_nothing_is_parted_with() {
    let config = Config::default().engine(steady().max_queued(10_000));
    let io = config.server();
    let addr = start(Router::new().mount("/socket.io", io.clone()));
    let (told, hears) = mpsc::channel();
    io.of("/")
        .on_disconnect(move |_, reason| told.send(reason).unwrap());
    let (_ws, _) = join(addr, "");
    let long = "x".repeat(5000);
    let start = std::time::Instant::now();
    while !io.of("/").is_empty() {
        assert!(start.elapsed() < super::PATIENCE);
        io.emit("news", long.as_str()).unwrap();
    }
    hears.recv_timeout(super::PATIENCE).unwrap();
}
