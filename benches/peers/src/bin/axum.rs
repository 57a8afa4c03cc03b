//! axum 0.8 on tokio: a router with a function for each path, and its websockets.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::serve::ListenerExt;
use axum::{Json, Router, routing::get};
use greenwire_bench_peers::serve::{Feeds, Greeting, HELLO, Service, WAIT, block_on, compute, run};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::Http => block_on(arguments, |listener| serve(listener, http())),
        Service::WebsocketEcho => block_on(arguments, |listener| serve(listener, echo())),
        Service::Broadcast => block_on(arguments, |listener| serve(listener, broadcast())),
        Service::TcpEcho | Service::SocketIo => arguments.not_offered(),
    })
}

async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Fails only on a connection that is broken already.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

fn http() -> Router {
    Router::new()
        .route("/plaintext", get(hello))
        .route("/json", get(json))
        .route("/wait", get(wait))
        .route("/compute", get(work))
}

async fn hello() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain")], HELLO)
}

async fn json() -> impl IntoResponse {
    Json(Greeting { message: HELLO })
}

async fn wait() -> impl IntoResponse {
    tokio::time::sleep(WAIT).await;
    hello().await
}

async fn work() -> impl IntoResponse {
    compute();
    hello().await
}

fn echo() -> Router {
    let upgrade = async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo_messages);
    Router::new().fallback(any(upgrade))
}

async fn echo_messages(mut ws: WebSocket) {
    while let Some(Ok(message)) = ws.recv().await {
        if is_data(&message) && ws.send(message).await.is_err() {
            return;
        }
    }
}

fn is_data(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}

type SharedFeeds = State<Arc<Feeds<Message>>>;

fn broadcast() -> Router {
    Router::new()
        .route("/feed", any(feed))
        .route("/publish", any(publish))
        .with_state(Arc::default())
}

async fn feed(upgrade: WebSocketUpgrade, State(feeds): SharedFeeds) -> Response {
    upgrade.on_upgrade(async move |mut ws| {
        let mut messages = feeds.subscribe().await;
        loop {
            tokio::select! {
                Some(message) = messages.recv() => {
                    if ws.send(message).await.is_err() {
                        return;
                    }
                }
                received = ws.recv() => {
                    if !matches!(received, Some(Ok(_))) {
                        return;
                    }
                }
            }
        }
    })
}

async fn publish(upgrade: WebSocketUpgrade, State(feeds): SharedFeeds) -> Response {
    upgrade.on_upgrade(async move |mut ws| {
        while let Some(Ok(message)) = ws.recv().await {
            if is_data(&message) {
                feeds.publish(&message).await;
            }
        }
    })
}
