//! greenwire: a green thread for each connection. With `--threads` the same handlers run on OS threads.

use greenwire::http::header::CONTENT_TYPE;
use greenwire::http::{
    Body, HeaderValue, IntoResponse, Request, Response, Router, Server, StatusCode,
};
use greenwire::net::{TcpListener, TcpStream};
use greenwire::realtime::socketio::{self, Args};
use greenwire::runtime::Builder;
use greenwire::sync::Mutex;
use greenwire::{thread, websocket};
use greenwire_bench_peers::serve::{
    Arguments, BUFFER, Greeting, HELLO, Service, WAIT, announce, compute, listen, run,
};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    run(Some("threads"), |arguments| {
        if arguments.switch && arguments.service == Service::SocketIo {
            return arguments.not_offered();
        }
        Builder::new()
            .workers(arguments.workers)
            .os_threads(arguments.switch)
            .start()?;
        let server = thread::spawn(move || serve(arguments));
        server.join().expect("the accept loop does not panic")
    })
}

/// Runs on a green thread, as the handlers do.
fn serve(arguments: Arguments) -> io::Result<()> {
    let listener = listen(arguments)?;
    announce(&listener)?;
    let listener = TcpListener::from(listener);
    match arguments.service {
        Service::TcpEcho => echo_tcp(&listener),
        Service::Http => Server::from_listener(listener).serve(answer),
        Service::WebsocketEcho => Server::from_listener(listener).serve(echo_websocket),
        Service::Broadcast => {
            let feeds = Arc::new(Feeds::default());
            Server::from_listener(listener).serve(move |request| broadcast(request, &feeds))
        }
        Service::SocketIo => Server::from_listener(listener).serve_handler(socket_io()),
    }
}

fn echo_tcp(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || echo(stream));
    }
    Ok(())
}

fn echo(mut stream: TcpStream) {
    let mut buf = [0; BUFFER];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..n]).is_err() {
            return;
        }
    }
}

fn answer(request: Request) -> Response {
    match request.uri().path() {
        "/plaintext" => typed("text/plain", HELLO),
        "/json" => typed("application/json", Greeting::json()),
        "/wait" => {
            thread::sleep(WAIT);
            typed("text/plain", HELLO)
        }
        "/compute" => {
            compute();
            typed("text/plain", HELLO)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn typed(content_type: &'static str, body: impl Into<Body>) -> Response {
    let content_type = HeaderValue::from_static(content_type);
    ([(CONTENT_TYPE, content_type)], body.into()).into_response()
}

fn echo_websocket(request: Request) -> Response {
    websocket::upgrade(request, |ws| {
        let (sender, mut receiver) = ws.split();
        while let Some(message) = receiver.receive_ref()? {
            sender.send(message)?;
        }
        Ok(())
    })
}

/// The senders of those who connected to `/feed`.
type Feeds = Mutex<Vec<websocket::Sender>>;

fn broadcast(request: Request, feeds: &Arc<Feeds>) -> Response {
    let feeds = Arc::clone(feeds);
    match request.uri().path() {
        "/feed" => websocket::upgrade(request, move |ws| feed(ws, &feeds)),
        "/publish" => websocket::upgrade(request, move |ws| publish(ws, &feeds)),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Keeps the connection open until its client closes it.
fn feed(mut ws: websocket::WebSocket, feeds: &Feeds) -> Result<(), websocket::Error> {
    feeds.lock().expect("nobody panics").push(ws.sender());
    while ws.receive()?.is_some() {}
    Ok(())
}

fn publish(mut ws: websocket::WebSocket, feeds: &Feeds) -> Result<(), websocket::Error> {
    while let Some(message) = ws.receive()? {
        let mut feeds = feeds.lock().expect("nobody panics");
        let message = websocket::Prepared::new(message);
        if websocket::broadcast(feeds.iter(), &message) < feeds.len() {
            feeds.retain(|feed| !feed.is_closed());
        }
    }
    Ok(())
}

fn socket_io() -> Router {
    let io = socketio::Server::new();
    io.on_connect(|socket| {
        socket.join("all");
        socket.on("echo", |_, args: Args| args);
        socket.on("say", |socket, args: Args| {
            socket.namespace().to("all").emit("said", args)
        });
        // Whoever is gone by now gets nothing.
        let _ = socket.emit("ready", ());
    });
    Router::new().mount("/socket.io", io)
}
