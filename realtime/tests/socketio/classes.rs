//! gevent-socketio's way: objects whose methods are events.

use super::client::Ws;
use super::{PATIENCE, start, steady};
use greenwire_http::Router;
use greenwire_realtime::socketio::classes::{Base, Broadcasts, Methods, Namespace, Rooms};
use greenwire_realtime::socketio::{Args, Config, Error};
use std::net::SocketAddr;
use std::sync::mpsc;

struct Chat {
    base: Base,
    room: String,
    told: mpsc::Sender<String>,
}

impl Namespace for Chat {
    fn base(&self) -> &Base {
        &self.base
    }

    fn methods(methods: &mut Methods<Chat>) {
        methods
            .on("nickname", Chat::on_nickname)
            .on("join", Chat::on_join)
            .on("user message", Chat::on_user_message)
            .on("all", Chat::on_all)
            .on("panic", Chat::on_panic);
    }

    fn initialize(&mut self) {
        self.session().set("nickname", "nobody").unwrap();
    }

    fn recv_connect(&mut self) {
        self.emit("welcome", ()).unwrap();
    }

    fn recv_disconnect(&mut self) {
        self.told.send(format!("left {}", self.room)).unwrap();
    }

    fn recv_message(&mut self, message: Args) -> Result<(), Error> {
        self.emit("message was", message)
    }

    fn initial_acl(&self) -> Option<Vec<String>> {
        let methods = ["recv_connect", "on_nickname", "on_gone"];
        Some(methods.map(str::to_owned).into())
    }
}

impl Chat {
    fn on_nickname(&mut self, name: String) -> Result<String, Error> {
        let before = self.session().get("nickname")?.unwrap_or_default();
        self.session().set("nickname", name)?;
        self.lift_acl_restrictions();
        Ok(before)
    }

    fn on_join(&mut self, room: String) {
        self.join(&room);
        self.room = room;
    }

    fn on_user_message(&mut self, text: String) -> Result<(), Error> {
        let name: Option<String> = self.session().get("nickname")?;
        self.emit_to_room(&self.room, "said", (name, text))
    }

    fn on_all(&mut self, (): ()) -> Result<(), Error> {
        self.broadcast_event("to all", ())?;
        self.broadcast_event_not_me("to others", ())
    }

    fn on_panic(&mut self, (): ()) {
        self.room = "panicked".to_owned();
        panic!("at the disco");
    }
}

fn serve() -> (SocketAddr, mpsc::Receiver<String>) {
    let io = Config::default().engine(steady()).server();
    let (told, hears) = mpsc::channel();
    let failures = told.clone();
    io.on_error(move |_, failure| failures.send(failure.to_string()).unwrap());
    io.of("/chat").serve(move |base| Chat {
        base,
        room: String::new(),
        told: told.clone(),
    });
    let addr = start(Router::new().mount("/socket.io", io));
    (addr, hears)
}

fn join(addr: SocketAddr) -> Ws {
    let mut ws = Ws::open(addr, "/socket.io/");
    ws.send("40/chat,").receive();
    ws.expect(r#"42/chat,["welcome"]"#);
    ws
}

#[test]
fn what_a_method_gives_back_is_the_answer() {
    let (addr, _hears) = serve();
    let (mut ann, mut ben) = (join(addr), join(addr));
    for (ws, name) in [(&mut ann, "Ann"), (&mut ben, "Ben")] {
        ws.send(&format!(r#"42/chat,1["nickname","{name}"]"#))
            .expect(r#"43/chat,1["nobody"]"#);
        ws.send(r#"42/chat,2["join","red"]"#).expect("43/chat,2[]");
    }
    ann.send(r#"42/chat,["user message","hi"]"#);
    ben.expect(r#"42/chat,["said","Ann","hi"]"#);
    ann.send(r#"42/chat,["all"]"#);
    ben.expect(r#"42/chat,["to all"]"#)
        .expect(r#"42/chat,["to others"]"#);
    ann.expect(r#"42/chat,["to all"]"#);
    ann.send(r#"42/chat,["message",{"a":1}]"#)
        .expect(r#"42/chat,["message was",{"a":1}]"#);
}

#[test]
fn what_is_refused() {
    let (addr, _hears) = serve();
    let mut ws = join(addr);
    let table = [
        (
            r#"["join","red"]"#,
            "method_access_denied",
            r#"You do not have access to method \"on_join\""#,
        ),
        (
            r#"["message",1]"#,
            "method_access_denied",
            r#"You do not have access to method \"recv_message\""#,
        ),
        (
            r#"["gone"]"#,
            "no_such_method",
            r#"The method \"on_gone\" was not found"#,
        ),
        (
            r#"["a.b"]"#,
            "unallowed_event_name",
            "name must only contains alpha numerical characters",
        ),
    ];
    for (event, name, message) in table {
        ws.send(&format!("42/chat,{event}"))
            .expect(&format!(r#"42/chat,["error","{name}","{message}"]"#));
    }
    let wrong = ws.send(r#"42/chat,["nickname",5]"#).receive();
    assert!(
        wrong.starts_with(r#"42/chat,["error","invalid_method_args","#),
        "{wrong}"
    );
}

#[test]
fn a_panic_leaves_no_deaf_client() {
    let (addr, hears) = serve();
    let mut ws = join(addr);
    ws.send(r#"42/chat,1["nickname","Ann"]"#).receive();
    ws.send(r#"42/chat,2["panic"]"#);
    let told = hears.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, r#"handler of "panic" panicked: at the disco"#);
    ws.send(r#"42/chat,3["nickname","Ben"]"#)
        .expect(r#"43/chat,3["Ann"]"#);
    drop(ws);
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), "left panicked");
}
