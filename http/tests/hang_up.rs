//! A handler that waits learns that nobody waits for its answer any more.

mod common;

use common::{Client, start};
use greenwire_http::{Config, Peer, Request};
use greenwire_runtime::thread;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// A client whose request is being handled, and what tells that the handler has seen it leave.
fn waited_for() -> (Client, Receiver<bool>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let addr = start(Config::default(), move |request: Request| {
        let tell = tell.lock().unwrap().clone();
        let peer = Peer::of(&request).unwrap();
        tell.send(peer.has_hung_up()).unwrap();
        let begin = Instant::now();
        while !peer.has_hung_up() && begin.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        tell.send(peer.has_hung_up()).unwrap();
    });
    let mut client = Client::new(addr);
    client.send(GET);
    assert!(!told.recv_timeout(PATIENCE).unwrap(), "it has just asked");
    (client, told)
}

#[test]
fn a_client_that_leaves_has_hung_up() {
    let (client, told) = waited_for();
    drop(client);
    assert!(told.recv_timeout(PATIENCE).unwrap());
}

#[test]
fn what_it_sent_before_does_not_hide_it() {
    let (mut client, told) = waited_for();
    client.send(GET);
    drop(client);
    assert!(told.recv_timeout(PATIENCE).unwrap());
}
