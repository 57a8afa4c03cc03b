//! The crate tungstenite, both ends on green threads.

use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use greenwire_monkey_tries::{listener, patch, side_by_side, spawn};
use tungstenite::Message;

#[test]
fn two_hundred_clients() {
    const CLIENTS: usize = 200;
    patch();
    let listener = listener();
    let addr = listener.local_addr().unwrap();
    spawn(move || {
        for stream in listener.incoming().take(CLIENTS) {
            let stream = stream.unwrap();
            spawn(move || serve(stream));
        }
    });
    let all = Arc::new(Barrier::new(CLIENTS));
    let took = side_by_side(CLIENTS, move |n| {
        let (mut socket, _) =
            tungstenite::client(format!("ws://{addr}/"), TcpStream::connect(addr).unwrap())
                .unwrap();
        for round in 0..5 {
            // All of them are connected, and each waits until all others are there.
            all.wait();
            let sent = Message::text(format!("{n} {round}"));
            socket.send(sent.clone()).unwrap();
            assert_eq!(socket.read().unwrap(), sent);
        }
        socket.close(None).unwrap();
    });
    println!("{CLIENTS} clients, 5 messages each, answered after 50 ms: {took:?}");
}

fn serve(stream: TcpStream) {
    let mut socket = tungstenite::accept(stream).unwrap();
    while let Ok(message) = socket.read() {
        if message.is_text() {
            std::thread::sleep(Duration::from_millis(50));
            socket.send(message).unwrap();
        }
    }
}
