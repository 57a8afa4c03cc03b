//! tungstenite 0.30 on std's threads: one for each connection.

use greenwire_bench_peers::serve::{Arguments, QUEUE, Service, announce, listen, run};
use std::io;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

fn main() -> ExitCode {
    run(None, |arguments| match arguments.service {
        Service::WebsocketEcho => serve(arguments, echo),
        Service::Broadcast => {
            let feeds = Arc::new(Feeds::default());
            serve(arguments, move |stream| broadcast(stream, &feeds))
        }
        _ => arguments.not_offered(),
    })
}

fn serve(
    arguments: Arguments,
    handle: impl Fn(TcpStream) + Clone + Send + 'static,
) -> io::Result<()> {
    let listener = listen(arguments)?;
    announce(&listener)?;
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        let handle = handle.clone();
        thread::spawn(move || handle(stream));
    }
    Ok(())
}

fn echo(stream: TcpStream) {
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

/// A queue for each connection to `/feed`.
type Feeds = Mutex<Vec<SyncSender<Message>>>;

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
    let (sender, messages) = sync_channel(QUEUE);
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
