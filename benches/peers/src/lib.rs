//! The measured servers: the table of them, and what the programs in `src/bin` share.
//!
//! Each program is the plain one that a user of its library would write, with the library's own
//! settings. All are started in the same way:
//!
//! ```sh
//! PROGRAM SERVICE --port P --workers N [--reuse-port]
//! ```
//!
//! It listens on 127.0.0.1, prints `listening on 127.0.0.1:PORT` when it is ready, and serves until it
//! is killed. [`Service`] says what the services are. What a program does not offer, such as a service,
//! or to share its port, ends it with exit status 2.
//!
//! `--workers N` is the number of OS threads that run the handlers. The programs on tokio use its
//! multi-thread scheduler with as many workers, and for a single one its current-thread scheduler.

mod peer;
#[cfg(feature = "servers")]
pub mod serve;

pub use peer::{Parallelism, Peer, Program, Service, programs_directory};

use Service::{Broadcast, Http, SocketIo, TcpEcho, WebsocketEcho};

/// Every measured server, greenwire first.
pub const PEERS: &[Peer] = &[
    Peer {
        name: "greenwire",
        program: Program::Rust("greenwire", "greenwire 0.1.0"),
        switches: &[],
        services: &[TcpEcho, Http, WebsocketEcho, Broadcast, SocketIo],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "greenwire --threads",
        program: Program::Rust("greenwire", "greenwire 0.1.0"),
        switches: &["--threads"],
        services: &[TcpEcho, Http, WebsocketEcho, Broadcast],
        parallelism: Parallelism::ThreadPerConnection,
    },
    Peer {
        name: "epoll",
        program: Program::Rust("epoll", "rustix 1.1.6"),
        switches: &[],
        services: &[TcpEcho, Http, WebsocketEcho],
        parallelism: Parallelism::SingleThread,
    },
    Peer {
        name: "may",
        program: Program::Rust("may", "may 0.3.51, tungstenite 0.30.0"),
        switches: &[],
        services: &[TcpEcho, WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "may_minihttp",
        program: Program::Rust("may_minihttp", "may_minihttp 0.1.11, may 0.3.51"),
        switches: &[],
        services: &[Http],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "tokio",
        program: Program::Rust("tokio", "tokio 1.54.1"),
        switches: &[],
        services: &[TcpEcho],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "axum",
        program: Program::Rust("axum", "axum 0.8.9, tokio 1.54.1"),
        switches: &[],
        services: &[Http, WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "hyper",
        program: Program::Rust("hyper", "hyper 1.12.0, tokio 1.54.1"),
        switches: &[],
        services: &[Http],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "hyper, pipeline_flush",
        program: Program::Rust("hyper", "hyper 1.12.0, tokio 1.54.1"),
        switches: &["--pipeline-flush"],
        services: &[Http],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "tokio-tungstenite",
        program: Program::Rust(
            "tokio_tungstenite",
            "tokio-tungstenite 0.30.0, tokio 1.54.1",
        ),
        switches: &[],
        services: &[WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "tokio-websockets",
        program: Program::Rust("tokio_websockets", "tokio-websockets 0.13.3, tokio 1.54.1"),
        switches: &[],
        services: &[WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "tokio-websockets, batched",
        program: Program::Rust("tokio_websockets", "tokio-websockets 0.13.3, tokio 1.54.1"),
        switches: &["--batched"],
        services: &[WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "fastwebsockets",
        program: Program::Rust("fastwebsockets", "fastwebsockets 0.10.0, tokio 1.54.1"),
        switches: &[],
        services: &[WebsocketEcho],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "socketioxide",
        program: Program::Rust(
            "socketioxide",
            "socketioxide 0.18.9, axum 0.8.9, tokio 1.54.1",
        ),
        switches: &[],
        services: &[SocketIo],
        parallelism: Parallelism::Workers,
    },
    Peer {
        name: "tungstenite, threads",
        program: Program::Rust("tungstenite_threads", "tungstenite 0.30.0"),
        switches: &[],
        services: &[WebsocketEcho, Broadcast],
        parallelism: Parallelism::ThreadPerConnection,
    },
    Peer {
        name: "gevent",
        program: Program::Python("gevent_server.py"),
        switches: &[],
        services: &[TcpEcho, Http, WebsocketEcho, Broadcast],
        parallelism: Parallelism::SingleThread,
    },
    Peer {
        name: "Node",
        program: Program::Node("server.js"),
        switches: &[],
        services: &[TcpEcho, Http, WebsocketEcho, Broadcast, SocketIo],
        parallelism: Parallelism::SingleThread,
    },
    Peer {
        name: "Go",
        program: Program::Go,
        switches: &[],
        services: &[TcpEcho, Http, WebsocketEcho, Broadcast],
        parallelism: Parallelism::Workers,
    },
];
