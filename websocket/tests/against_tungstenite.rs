//! Round trips against an independent implementation: random messages, fragments and masks in both
//! directions, with tungstenite as the client and as the server.

mod common;

use common::{DEADLINE, connect, serve};
use greenwire_websocket::{Config, Error, Kind, Message, WebSocket};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

type Peer = tungstenite::WebSocket<TcpStream>;

const ROUNDS: usize = 150;

/// xorshift64: the same messages on every run, and on both sides.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn message(&mut self) -> Message {
        let bound = [2, 130, 5000, 70_000][self.below(4)];
        let len = self.below(bound);
        if self.below(2) == 0 {
            Message::Binary((0..len).map(|_| self.below(256) as u8).collect())
        } else {
            let letters = ['a', 'ä', '漢', '𝄞'];
            Message::Text((0..len / 4).map(|_| letters[self.below(4)]).collect())
        }
    }
}

/// Sends a message of ours: whole, or in pieces.
fn send(ws: &WebSocket, random: &mut Random, message: &Message) -> Result<(), Error> {
    if random.below(2) == 0 {
        return ws.send(message);
    }
    let mut writer = ws.writer(message.kind())?;
    let mut rest = message.as_bytes();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(1 + random.below(rest.len()));
        writer.write_all(piece)?;
        if random.below(2) == 0 {
            writer.flush()?;
        }
        rest = after;
    }
    writer.finish()
}

/// Sends a message of tungstenite's: whole, or in frames with pings between them.
fn peer_send(peer: &mut Peer, random: &mut Random, message: &Message) {
    let opcode = match message.kind() {
        Kind::Text => Data::Text,
        Kind::Binary => Data::Binary,
    };
    let (mut opcode, mut rest) = (opcode, message.as_bytes());
    loop {
        let (piece, after) = rest.split_at(random.below(rest.len() + 1));
        let last = after.is_empty() && random.below(2) == 0;
        let frame = Frame::message(piece.to_vec(), OpCode::Data(opcode), last);
        peer.write(tungstenite::Message::Frame(frame)).unwrap();
        if last {
            return peer.flush().unwrap();
        }
        if random.below(4) == 0 {
            peer.write(tungstenite::Message::Ping("?".into())).unwrap();
        }
        (opcode, rest) = (Data::Continue, after);
    }
}

/// The next message of tungstenite's.
fn peer_receive(peer: &mut Peer) -> Message {
    loop {
        match peer.read().unwrap() {
            tungstenite::Message::Text(text) => return Message::Text(text.as_str().to_owned()),
            tungstenite::Message::Binary(bytes) => return Message::Binary(bytes.to_vec()),
            tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Our side of the talk: what comes is checked, and what is sent the other side checks.
fn talk(ws: &mut WebSocket) -> Result<(), Error> {
    let (random, other) = (&mut Random(1), &mut Random(2));
    for round in 0..ROUNDS {
        let received = ws.receive()?;
        assert_eq!(received, Some(other.message()), "round {round}");
        let message = Random(round as u64 + 3).message();
        send(ws, random, &message)?;
    }
    Ok(())
}

fn peer_talk(peer: &mut Peer) {
    let (random, cuts) = (&mut Random(2), &mut Random(7));
    for round in 0..ROUNDS {
        peer_send(peer, cuts, &random.message());
        let expected = Random(round as u64 + 3).message();
        assert_eq!(peer_receive(peer), expected, "round {round}");
    }
}

fn limited(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

#[test]
fn as_the_client() {
    let addr = serve(Config::default(), |mut ws| talk(&mut ws));
    let stream = limited(TcpStream::connect(addr).unwrap());
    let url = format!("ws://{addr}/");
    let (mut peer, _) = tungstenite::client(url, stream).unwrap();
    peer_talk(&mut peer);
    assert!(peer.read().unwrap().is_close());
}

#[test]
fn as_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let stream = limited(listener.accept().unwrap().0);
        let mut peer =
            tungstenite::accept_with_config(stream, Some(WebSocketConfig::default())).unwrap();
        peer_talk(&mut peer);
        assert!(peer.read().unwrap().is_close());
        while peer.read().is_ok() {}
    });
    let mut ws = connect(addr);
    talk(&mut ws).unwrap();
    ws.close(1000, "").unwrap();
    assert_eq!(ws.receive().unwrap(), None);
    assert_eq!(ws.close_reason().map(|reason| reason.code()), Some(1000));
    server.join().unwrap();
}
