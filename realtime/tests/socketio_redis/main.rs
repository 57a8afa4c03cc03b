//! A cluster on one real Redis: our servers, a server in Node with `@socket.io/redis-adapter`, and emitters of both.

mod outage;
#[path = "../support/mod.rs"]
mod support;

use greenwire_http::{Router, Server};
use greenwire_realtime::pubsub::Redis;
use greenwire_realtime::socketio::{
    self, Args, Binary, Broadcast, Config, Error, Namespace, RedisAdapter, RedisEmitter,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use support::redis_server::RedisServer;

/// What the clients of another server take to answer, and more.
const LIMIT: Duration = Duration::from_secs(20);

/// Starts a server that lives as long as the test program.
fn serve(io: &socketio::Server) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let site = Router::new().mount("/socket.io", io.clone());
    std::thread::spawn(move || server.serve_handler(site));
    addr
}

/// One server of the cluster. What it has to do it is told in the namespace `/control`.
fn server(
    redis: Redis,
    emitter: RedisEmitter,
    adapt: fn(RedisAdapter) -> RedisAdapter,
) -> socketio::Server {
    let config = Config::default().adapter(adapt(RedisAdapter::new(redis)));
    #[cfg(feature = "socketio-legacy")]
    let config = config.legacy(socketio::Legacy::default());
    let io = config.ack_timeout(LIMIT).server();
    for namespace in [io.of("/"), io.of("/chat")] {
        namespace.on("join", |socket, room: String| socket.join(room));
        namespace.on("name", |socket, name: String| {
            socket.data().set("name", name)
        });
        namespace.on("say", |socket, (room, text): (String, String)| {
            socket.to(room).emit("said", text)
        });
        namespace.on_server_event("sum", |args: Args| {
            let numbers: Vec<i64> = args.get(0)?;
            Ok::<_, Error>(format!("greenwire {}", numbers.iter().sum::<i64>()))
        });
        let told = namespace.clone();
        namespace.on_server_event("tell", move |args: Args| {
            told.all().local().emit("told", &args)
        });
    }
    control(&io, &emitter);
    io
}

type Rooms = Vec<String>;

fn control(io: &socketio::Server, emitter: &RedisEmitter) {
    let control = io.of("/control");
    let root = io.of("/");
    let with = |namespace: &Namespace, run: fn(Broadcast, Value) -> Result<Value, Error>| {
        let namespace = namespace.clone();
        move |_: &socketio::Socket, (to, except, more): (Rooms, Rooms, Value)| {
            run(select(&namespace, &to, &except), more)
        }
    };
    control.on(
        "emit",
        with(&root, |to, text| {
            to.emit("news", text).map(|()| Value::Null)
        }),
    );
    control.on(
        "emit bytes",
        with(&root, |to, _| {
            let picture = Binary::from(vec![1, 2, 255]);
            to.emit("news", ("picture", picture)).map(|()| Value::Null)
        }),
    );
    control.on(
        "ask",
        with(&root, |to, question| {
            let answers = to.emit_with_ack("question", question)?;
            let answers = answers.iter().map(|args| args.get::<Value>(0));
            answers.collect()
        }),
    );
    control.on(
        "fetch",
        with(&root, |to, _| {
            let sockets = to.fetch_sockets()?;
            let sockets = sockets.iter().map(|socket| {
                let info = socket.info();
                let auth = &info.handshake["auth"];
                json!({"id": info.id, "rooms": info.rooms, "data": info.data, "auth": auth})
            });
            Ok(sockets.collect())
        }),
    );
    control.on(
        "join",
        with(&root, |to, room| {
            to.sockets_join(room.as_str().unwrap_or_default())
                .map(|()| Value::Null)
        }),
    );
    control.on(
        "leave",
        with(&root, |to, room| {
            to.sockets_leave(room.as_str().unwrap_or_default())
                .map(|()| Value::Null)
        }),
    );
    control.on(
        "put out",
        with(&root, |to, _| to.disconnect_sockets().map(|()| Value::Null)),
    );
    control.on(
        "emit in chat",
        with(&io.of("/chat"), |to, text| {
            to.emit("news", text).map(|()| Value::Null)
        }),
    );
    control.on(
        "tell servers",
        with_args(&root, |root, args| {
            root.server_side_emit("tell", args)
                .map(|()| Args::default())
        }),
    );
    control.on(
        "ask servers",
        with_args(&root, |root, args| {
            let answers = root.server_side_emit_with_ack("sum", args)?;
            let answers = answers.iter().map(|args| args.get::<Value>(0));
            Args::new(Value::Array(answers.collect::<Result<_, _>>()?))
        }),
    );
    let emitter = emitter.clone();
    control.on("emitter", move |_, text: String| {
        let red = emitter.to("red");
        emitter.emit("news", text.clone())?;
        red.emit("news", (format!("{text} in red"), Binary::from(vec![7])))?;
        red.sockets_join("blue")?;
        emitter.to("blue").except("red").emit("news", "nobody")?;
        emitter.to("blue").emit("news", format!("{text} in blue"))?;
        red.sockets_leave("blue")?;
        emitter.server_side_emit("tell", text)
    });
}

fn with_args(
    root: &Namespace,
    run: fn(&Namespace, Args) -> Result<Args, Error>,
) -> impl Fn(&socketio::Socket, Args) -> Result<Args, Error> + Send + Sync + 'static {
    let root = root.clone();
    move |_, args| run(&root, args)
}

fn select(namespace: &Namespace, to: &[String], except: &[String]) -> Broadcast {
    let all = namespace.all();
    let to = to.iter().fold(all, Broadcast::to);
    except.iter().fold(to, Broadcast::except)
}

fn cluster_with_node(key: &str, adapt: fn(RedisAdapter) -> RedisAdapter, flag: &str) {
    let Some(redis) = RedisServer::start(&[]) else {
        return;
    };
    let emitter = RedisEmitter::connect(redis.url()).unwrap().key(key);
    let io = server(Redis::connect(redis.url()).unwrap(), emitter, adapt);
    let addr = serve(&io).to_string();
    let packages = [
        "@socket.io/redis-adapter",
        "@socket.io/redis-emitter",
        "redis",
        "sio-0.9.17",
        "socket.io",
        "socket.io-client",
    ];
    let legacy = match cfg!(feature = "socketio-legacy") {
        true => "with 0.9",
        false => "without 0.9",
    };
    support::node::tell(
        "socketio_cluster.mjs",
        &packages,
        &[&addr, &redis.url(), flag, legacy],
    );
}

#[test]
fn a_cluster_with_node() {
    cluster_with_node("socket.io", |adapter| adapter, "");
}

#[test]
fn a_cluster_with_node_whose_answers_go_apart() {
    cluster_with_node(
        "other",
        |adapter| adapter.answers_apart(true).key("other"),
        "apart",
    );
}
