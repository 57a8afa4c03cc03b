//! tokio-tungstenite 0.30: a task for each websocket, one `send` for each message.

use futures_util::{SinkExt, StreamExt};
use greenwire_bench_peers::serve::{Feeds, Service, block_on, run, serve_connections};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::WebsocketEcho => block_on(arguments, |listener| serve_connections(listener, echo)),
        Service::Broadcast => block_on(arguments, |listener| {
            let feeds = Arc::new(Feeds::default());
            serve_connections(listener, move |stream| broadcast(stream, feeds.clone()))
        }),
        _ => arguments.not_offered(),
    })
}

async fn echo(stream: TcpStream) {
    let Ok(mut ws) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = ws.next().await {
        if is_data(&message) && ws.send(message).await.is_err() {
            return;
        }
    }
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}

async fn broadcast(stream: TcpStream, feeds: Arc<Feeds<Message>>) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let note_path = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let Ok(ws) = tokio_tungstenite::accept_hdr_async(stream, note_path).await else {
        return;
    };
    match path.as_str() {
        "/publish" => publish(ws, &feeds).await,
        _ => feed(ws, &feeds).await,
    }
}

async fn feed(mut ws: WebSocketStream<TcpStream>, feeds: &Feeds<Message>) {
    let mut messages = feeds.subscribe().await;
    loop {
        tokio::select! {
            Some(message) = messages.recv() => {
                if ws.send(message).await.is_err() {
                    return;
                }
            }
            received = ws.next() => {
                if !matches!(received, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
}

async fn publish(mut ws: WebSocketStream<TcpStream>, feeds: &Feeds<Message>) {
    while let Some(Ok(message)) = ws.next().await {
        if is_data(&message) {
            feeds.publish(&message).await;
        }
    }
}
