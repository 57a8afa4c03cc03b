//! tokio-websockets 0.13: a task for each websocket, one `send` for each message. With `--batched` it
//! answers everything that has arrived with `feed`, and flushes once.

use futures_util::{FutureExt, SinkExt, StreamExt};
use greenwire_bench_peers::serve::{Feeds, Service, block_on, run, serve_connections};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio_websockets::{Error, Message, ServerBuilder, WebSocketStream};

fn main() -> ExitCode {
    run(Some("batched"), |arguments| {
        let batched = arguments.switch;
        match arguments.service {
            Service::WebsocketEcho => block_on(arguments, move |listener| {
                serve_connections(listener, move |stream| echo(stream, batched))
            }),
            Service::Broadcast => block_on(arguments, move |listener| {
                let feeds = Arc::new(Feeds::default());
                serve_connections(listener, move |stream| {
                    broadcast(stream, feeds.clone(), batched)
                })
            }),
            _ => arguments.not_offered(),
        }
    })
}

async fn echo(stream: TcpStream, batched: bool) {
    let Ok((_, mut ws)) = ServerBuilder::new().accept(stream).await else {
        return;
    };
    // Ends with an error when the client goes away.
    let _ = match batched {
        true => echo_batches(&mut ws).await,
        false => echo_each(&mut ws).await,
    };
}

async fn echo_each(ws: &mut WebSocketStream<TcpStream>) -> Result<(), Error> {
    while let Some(message) = ws.next().await {
        let message = message?;
        if is_data(&message) {
            ws.send(message).await?;
        }
    }
    Ok(())
}

async fn echo_batches(ws: &mut WebSocketStream<TcpStream>) -> Result<(), Error> {
    let mut next = ws.next().await;
    while let Some(message) = next {
        let message = message?;
        if is_data(&message) {
            ws.feed(message).await?;
        }
        next = match ws.next().now_or_never() {
            Some(here) => here,
            None => {
                ws.flush().await?;
                ws.next().await
            }
        };
    }
    Ok(())
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}

async fn broadcast(stream: TcpStream, feeds: Arc<Feeds<Message>>, batched: bool) {
    let Ok((request, mut ws)) = ServerBuilder::new().accept(stream).await else {
        return;
    };
    // Ends with an error when the client goes away.
    let _ = match request.uri().path() {
        "/publish" => publish(&mut ws, &feeds).await,
        _ => feed(&mut ws, feeds.subscribe().await, batched).await,
    };
}

async fn feed(
    ws: &mut WebSocketStream<TcpStream>,
    mut messages: Receiver<Message>,
    batched: bool,
) -> Result<(), Error> {
    loop {
        tokio::select! {
            Some(message) = messages.recv() => {
                ws.feed(message).await?;
                while batched && let Ok(message) = messages.try_recv() {
                    ws.feed(message).await?;
                }
                ws.flush().await?;
            }
            received = ws.next() => match received {
                Some(message) => drop(message?),
                None => return Ok(()),
            }
        }
    }
}

async fn publish(ws: &mut WebSocketStream<TcpStream>, feeds: &Feeds<Message>) -> Result<(), Error> {
    while let Some(message) = ws.next().await {
        let message = message?;
        if is_data(&message) {
            feeds.publish(&message).await;
        }
    }
    Ok(())
}
