//! A broadcast to many on the only worker: everybody gets it, and others have turns meanwhile.

mod common;

use common::{DEADLINE, Raw, serve_senders};
use greenwire_runtime::{Builder, thread};
use greenwire_websocket::{Config, Prepared, broadcast};

#[test]
fn others_have_turns_between_the_writes() {
    const MANY: usize = 320;
    Builder::new().workers(1).start().unwrap();
    let (addr, told) = serve_senders(Config::default());
    let mut clients: Vec<_> = (0..MANY).map(|_| Raw::connect(addr)).collect();
    let next = |_| told.recv_timeout(DEADLINE).unwrap();
    let senders: Vec<_> = (0..MANY).map(next).collect();

    let sending = thread::spawn(move || {
        assert_eq!(broadcast(&senders, &Prepared::new("news")), MANY);
        let mut turns = 0;
        while senders.iter().any(|sender| sender.queued() > 0) {
            turns += 1;
            thread::yield_now();
        }
        turns
    });
    let turns = sending.join().unwrap();
    assert!(turns > 5, "only {turns} turns");
    for client in &mut clients {
        assert_eq!(client.read_frame(), (1, b"news".to_vec()));
    }
}
