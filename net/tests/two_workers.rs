//! Two workers: how connections spread over them, and what the halves of one give each other.

mod support;

use greenwire_net::{Shutdown, TcpListener, TcpStream};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{Builder, thread};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{hint, net};

/// The stories keep both workers to themselves, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

fn two_workers() -> MutexGuard<'static, ()> {
    // Another story of this file may have been first.
    let _ = Builder::new().workers(2).start();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a connection is served. The other end is told by a byte.
fn serve(mut stream: TcpStream, homes: &Mutex<Vec<std::thread::ThreadId>>) {
    homes.lock().unwrap().push(std::thread::current().id());
    stream.write_all(b"!").unwrap();
    let _ = stream.read(&mut [0]);
}

/// Opens 1,000 connections one by one and checks that neither worker has more than 600.
fn check_split(address: net::SocketAddr, homes: &Mutex<Vec<std::thread::ThreadId>>) {
    let connections: Vec<_> = (0..1000)
        .map(|_| {
            let mut stream = net::TcpStream::connect(address).unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream
        })
        .collect();
    let mut counts = HashMap::new();
    for home in homes.lock().unwrap().iter() {
        *counts.entry(*home).or_insert(0) += 1;
    }
    println!("{:?} connections on each worker", counts.values());
    assert!(
        counts.values().all(|count| (400..=600).contains(count)),
        "{counts:?}"
    );
    drop(connections);
}

#[test]
fn connections_accepted_on_an_os_thread_spread() {
    let _turn = two_workers();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let homes = Arc::new(Mutex::new(Vec::new()));
    let at_home = homes.clone();
    let acceptor = std::thread::spawn(move || {
        for stream in listener.incoming().take(1000) {
            let (stream, homes) = (stream.unwrap(), at_home.clone());
            thread::spawn(move || serve(stream, &homes));
        }
    });
    check_split(address, &homes);
    acceptor.join().unwrap();
}

#[test]
fn connections_accepted_on_a_green_thread_spread() {
    let _turn = two_workers();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let homes = Arc::new(Mutex::new(Vec::new()));
    let at_home = homes.clone();
    let acceptor = thread::spawn(move || {
        for stream in listener.incoming().take(1000) {
            let (stream, homes) = (stream.unwrap(), at_home.clone());
            thread::spawn(move || serve(stream, &homes));
        }
    });
    check_split(address, &homes);
    acceptor.join().unwrap();
}

/// A reader on one worker, a writer on another, on one connection: in each round the last bytes and
/// the end of the stream come together. A lost wake would leave the reader parked for ever.
#[test]
fn data_and_end_of_stream_together_reach_the_other_worker() {
    const ROUNDS: usize = 100_000;
    let _turn = two_workers();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (to_writer, streams) = mpsc::sync_channel::<TcpStream>(1);
    let arrived = Arc::new(AtomicUsize::new(0));
    let meet = move || {
        // Each keeps its worker until the other one has come, so they are on two.
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < 2 {
            hint::spin_loop();
        }
    };
    let writer_meets = meet.clone();
    let writer = thread::spawn(move || {
        writer_meets();
        for mut stream in streams {
            stream.write_all(b"the end").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
    });
    let reader = thread::spawn(move || {
        meet();
        for _ in 0..ROUNDS {
            let mut stream = TcpStream::connect(address).unwrap();
            to_writer.send(listener.accept().unwrap().0).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "the end");
        }
    });
    reader.join().unwrap();
    writer.join().unwrap();
}
