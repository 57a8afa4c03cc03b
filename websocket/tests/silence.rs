//! Peers that say nothing: pings, and the end of patience.

mod common;

use common::{DEADLINE, Raw, frame, serve, serve_echo};
use greenwire_runtime::time;
use greenwire_websocket::{Config, Error, Message, WebSocket};
use std::io::ErrorKind;
use std::sync::mpsc;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_silent_peer_is_sent_pings_and_lives_by_its_pongs() {
    let config = Config::default().heartbeat(SHORT).idle_timeout(20 * SHORT);
    let mut raw = Raw::connect(serve_echo(config));
    // For twice as long as it may be silent.
    for _ in 0..40 {
        assert_eq!(raw.read_frame(), (9, vec![]));
        raw.write(&frame(0x8a, b""));
    }
    raw.write(&frame(0x81, b"here"));
    let mut frame = raw.read_frame();
    while frame.0 == 9 {
        frame = raw.read_frame();
    }
    assert_eq!(frame, (1, b"here".to_vec()));
}

/// How a connection ends whose peer says nothing, and what that peer reads before the end.
fn fall_silent(config: Config) -> (Error, Vec<u8>) {
    fall_silent_with(config, WebSocket::receive)
}

fn fall_silent_with(
    config: Config,
    receive: fn(&mut WebSocket) -> Result<Option<Message>, Error>,
) -> (Error, Vec<u8>) {
    let (tell, told) = mpsc::channel();
    let addr = serve(config, move |mut ws| {
        let error = receive(&mut ws).unwrap_err();
        assert!(matches!(ws.send("late"), Err(Error::Closed)));
        tell.send(error).unwrap();
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    let mut opcodes = Vec::new();
    while opcodes.last() != Some(&8) {
        opcodes.push(raw.read_frame().0);
    }
    (told.recv_timeout(DEADLINE).unwrap(), opcodes)
}

#[test]
fn a_peer_that_does_not_answer_is_given_up() {
    let config = Config::default()
        .heartbeat(SHORT)
        .idle_timeout(SHORT * 5 / 2);
    let (error, opcodes) = fall_silent(config);
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    assert_eq!(opcodes, [9, 9, 8]);
}

#[test]
fn there_need_not_be_pings() {
    let config = Config::default().heartbeat(None).idle_timeout(SHORT);
    let (error, opcodes) = fall_silent(config);
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    assert_eq!(opcodes, [8]);
}

/// A handler that looks up from receiving now and then still learns that its peer is gone.
#[test]
fn waits_that_are_cut_short_count() {
    let config = Config::default().heartbeat(SHORT).idle_timeout(20 * SHORT);
    let (error, opcodes) = fall_silent_with(config, |ws| {
        loop {
            if let Ok(received) = time::timeout(SHORT / 5, || ws.receive()) {
                return received;
            }
        }
    });
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    assert!(opcodes.contains(&9), "{opcodes:?}");
}
