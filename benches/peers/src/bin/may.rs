//! may 0.3: a coroutine for each connection; websockets by tungstenite 0.30, as in may's own example.

use greenwire_bench_peers::serve::{Arguments, BUFFER, Service, announce_at, run};
use may::net::{TcpListener, TcpStream};
use may::sync::mpsc::{Sender, channel};
use may::{config, go};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

fn main() -> ExitCode {
    run(None, |arguments| {
        config().set_workers(arguments.workers);
        match arguments.service {
            Service::TcpEcho => serve(arguments, echo_tcp),
            Service::WebsocketEcho => serve(arguments, echo_websocket),
            Service::Broadcast => {
                let feeds = Arc::new(Feeds::new(Vec::new()));
                serve(arguments, move |stream| broadcast(stream, &feeds))
            }
            Service::Http | Service::SocketIo => arguments.not_offered(),
        }
    })
}

/// may's listeners always share their port, and have a backlog of 1,024.
fn serve(
    arguments: Arguments,
    handle: impl Fn(TcpStream) + Clone + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))?;
    announce_at(listener.local_addr()?)?;
    let accepting = go!(move || accept(&listener, handle));
    accepting.join().expect("the accept loop does not panic")
}

fn accept(
    listener: &TcpListener,
    handle: impl Fn(TcpStream) + Clone + Send + 'static,
) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        let handle = handle.clone();
        go!(move || handle(stream));
    }
    Ok(())
}

fn echo_tcp(mut stream: TcpStream) {
    let mut buf = vec![0; BUFFER];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..n]).is_err() {
            return;
        }
    }
}

fn echo_websocket(stream: TcpStream) {
    let Ok(mut ws) = tungstenite::accept(stream) else {
        return;
    };
    while let Ok(message) = ws.read() {
        if is_data(&message) && ws.send(message).is_err() {
            return;
        }
    }
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}

/// A queue for each connection to `/feed`; may has no bounded ones.
type Feeds = may::sync::Mutex<Vec<Sender<Message>>>;

fn broadcast(stream: TcpStream, feeds: &Feeds) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let note_path = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let Ok(ws) = tungstenite::accept_hdr(stream, note_path) else {
        return;
    };
    match path.as_str() {
        "/publish" => publish(ws, feeds),
        _ => feed(ws, feeds),
    }
}

/// Only sends: a blocking connection of tungstenite cannot be read and written at the same time.
fn feed(mut ws: WebSocket<TcpStream>, feeds: &Feeds) {
    let (sender, messages) = channel();
    feeds.lock().expect("nobody panics").push(sender);
    for message in messages {
        if ws.send(message).is_err() {
            return;
        }
    }
}

fn publish(mut ws: WebSocket<TcpStream>, feeds: &Feeds) {
    while let Ok(message) = ws.read() {
        if is_data(&message) {
            let mut feeds = feeds.lock().expect("nobody panics");
            feeds.retain(|feed| feed.send(message.clone()).is_ok());
        }
    }
}
