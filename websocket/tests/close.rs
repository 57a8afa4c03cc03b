//! How connections end: by either side, by the handler, by a peer that vanishes.

mod common;

use common::{Raw, connect, expect, frame, serve, serve_echo};
use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, Message, code};
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[test]
fn a_close_is_answered_with_its_code() {
    let addr = serve_echo(Config::default());
    for (payload, code) in [
        (&b""[..], 1005),
        (b"\x03\xe8", 1000),
        (b"\x0f\xa0why", 4000),
    ] {
        let mut raw = Raw::connect(addr);
        raw.write(&frame(0x88, payload));
        assert_eq!(raw.read_close(), code);
    }
}

#[test]
fn a_close_inside_a_fragmented_message_is_clean() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    raw.write(
        &[
            frame(0x01, b"a"),
            frame(0x88, b"\x03\xe8"),
            frame(0x80, b"b"),
        ]
        .concat(),
    );
    assert_eq!(raw.read_close(), 1000);
}

#[test]
fn the_handler_hears_the_reason() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |mut ws| {
        while ws.receive()?.is_some() {}
        assert!(ws.is_closed());
        assert!(matches!(ws.send("late"), Err(Error::Closed)));
        assert_eq!(ws.receive()?, None);
        tell.send(ws.close_reason().map(|r| (r.code(), r.reason().to_owned())))
            .unwrap();
        Ok(())
    });
    Raw::connect(addr).write(&frame(0x88, b"\x0f\xa1bye"));
    let reason = told.recv_timeout(common::DEADLINE).unwrap();
    assert_eq!(reason, Some((4001, "bye".to_owned())));
}

#[test]
fn a_server_closes_and_reads_to_the_end() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |mut ws| {
        ws.send("last")?;
        ws.close(code::GOING_AWAY, "restart")?;
        ws.close(code::NORMAL, "again")?;
        let late = expect(&mut ws);
        tell.send((late, ws.receive()?, ws.close_reason().map(|r| r.code())))
            .unwrap();
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    assert_eq!(raw.read_frame(), (1, b"last".to_vec()));
    assert_eq!(raw.read_frame(), (8, b"\x03\xe9restart".to_vec()));
    raw.write(&[frame(0x81, b"crossing"), frame(0x88, b"\x03\xe9")].concat());
    drop(raw);
    let told = told.recv_timeout(common::DEADLINE).unwrap();
    assert_eq!(told, (Message::from("crossing"), None, Some(1001)));
}

#[test]
fn a_handler_that_returns_closes() {
    for (result, code) in [(Ok(()), 1000), (Err(()), 1011)] {
        let addr = serve(Config::default(), move |ws| {
            ws.send("bye")?;
            result.map_err(|()| std::io::Error::other("no luck").into())
        });
        let mut raw = Raw::connect(addr);
        assert_eq!(raw.read_frame(), (1, b"bye".to_vec()));
        let (opcode, payload) = raw.read_frame();
        assert_eq!((opcode, payload), (8, u16::to_be_bytes(code).to_vec()));
        raw.write(&frame(0x88, &u16::to_be_bytes(code)));
        assert_eq!(std::io::Read::read(&mut raw.0, &mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn a_handler_that_panics_closes_with_1011() {
    let addr = serve(Config::default(), |_| {
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    let mut raw = Raw::connect(addr);
    assert_eq!(raw.read_frame(), (8, u16::to_be_bytes(1011).to_vec()));
}

#[test]
fn a_handler_may_leave_its_receiver_to_another_thread() {
    let addr = serve(Config::default(), |ws| {
        let (sender, mut receiver) = ws.split();
        thread::spawn(move || while let Ok(Some(_)) = receiver.receive() {});
        sender.send("hello")
    });
    let mut ws = connect(addr);
    assert_eq!(expect(&mut ws), Message::from("hello"));
    assert_eq!(ws.receive().unwrap(), None);
    assert_eq!(ws.close_reason().map(|reason| reason.code()), Some(1000));
}

#[test]
fn a_peer_that_never_answers_a_close_is_cut_off() {
    let config = Config::default().close_timeout(Duration::from_millis(200));
    let (tell, told) = mpsc::channel();
    let addr = serve(config, move |mut ws| {
        ws.close(code::NORMAL, "")?;
        tell.send(ws.receive()).unwrap();
        Ok(())
    });
    let start = Instant::now();
    let raw = Raw::connect(addr);
    assert!(matches!(
        told.recv_timeout(common::DEADLINE).unwrap(),
        Ok(None)
    ));
    assert!(start.elapsed() >= Duration::from_millis(200));
    drop(raw);
}

#[test]
fn a_close_limits_a_receive_that_waits_already() {
    let config = Config::default().close_timeout(Duration::from_millis(200));
    let (tell, told) = mpsc::channel();
    let addr = serve(config, move |ws| {
        let (sender, mut receiver) = ws.split();
        let reader = thread::spawn(move || receiver.receive());
        // The reader is most likely waiting by now; both orders must end.
        thread::sleep(Duration::from_millis(20));
        sender.close(code::NORMAL, "")?;
        tell.send(reader.join().unwrap()).unwrap();
        Ok(())
    });
    let raw = Raw::connect(addr);
    assert!(matches!(
        told.recv_timeout(common::DEADLINE).unwrap(),
        Ok(None)
    ));
    drop(raw);
}

#[test]
fn a_peer_that_vanishes_is_an_error() {
    let (tell, told) = mpsc::channel();
    let addr = serve(Config::default(), move |mut ws| {
        tell.send((ws.receive(), ws.receive(), ws.send("x")))
            .unwrap();
        Ok(())
    });
    let mut raw = Raw::connect(addr);
    raw.write(&frame(0x81, b"half")[..5]);
    drop(raw);
    let (first, second, sent) = told.recv_timeout(common::DEADLINE).unwrap();
    assert!(matches!(first, Err(Error::Io(_))), "{first:?}");
    assert!(matches!(second, Err(Error::Closed)), "{second:?}");
    assert!(matches!(sent, Err(Error::Io(_))), "{sent:?}");
}
