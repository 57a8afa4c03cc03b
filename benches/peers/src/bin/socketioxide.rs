//! socketioxide on axum, as its README shows it.

use axum::Router;
use axum::serve::ListenerExt;
use greenwire_bench_peers::serve::{Service, block_on, run};
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use std::io;
use std::process::ExitCode;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::SocketIo => block_on(arguments, serve),
        _ => arguments.not_offered(),
    })
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", welcome);
    let listener = listener.tap_io(|stream| {
        // Fails only on a connection that is broken already.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().layer(layer)).await
}

async fn welcome(socket: SocketRef) {
    socket.join("all");
    // Whoever is gone by now gets nothing.
    socket.on("echo", async |Data::<Value>(data), ack: AckSender| {
        let _ = ack.send(&data);
    });
    socket.on("say", async |socket: SocketRef, Data::<Value>(data)| {
        let _ = socket.within("all").emit("said", &data).await;
    });
    let _ = socket.emit("ready", &());
}
