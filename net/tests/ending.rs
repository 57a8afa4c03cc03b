//! How connections end: half, wholly, or by a reset; and who wakes.

mod support;

use greenwire_net::{Shutdown, TcpStream};
use greenwire_runtime::thread;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;
use support::{DEADLINE, fill, on_both, pair};

/// Starts `work` on a thread of its own; returns once it runs.
fn started<T: Send + 'static>(
    stream: &TcpStream,
    work: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let stream = stream.try_clone().unwrap();
    support::started(move || work(stream))
}

#[test]
fn shutdown_wakes_a_waiting_reader() {
    on_both(|| {
        // The shutdown comes before, at and after the reader's wait: by chance, so many times.
        for _ in 0..50 {
            let (stream, _peer) = pair();
            let reader = started(&stream, |mut stream| stream.read(&mut [0]).unwrap());
            stream.shutdown(Shutdown::Read).unwrap();
            assert_eq!(reader.join().unwrap(), 0);
        }
    });
}

#[test]
fn shutdown_wakes_a_waiting_writer() {
    on_both(|| {
        for _ in 0..20 {
            let (stream, _peer) = pair();
            fill(&stream);
            let writer = started(&stream, |mut stream| stream.write_all(&[0; 1 << 20]));
            stream.shutdown(Shutdown::Both).unwrap();
            let error = writer.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
    });
}

#[test]
fn shutdown_wakes_who_waits_without_a_buffer() {
    on_both(|| {
        let (stream, _peer) = pair();
        let reader = started(&stream, |mut stream| {
            stream.park_until_readable().unwrap();
            stream.read(&mut [0]).unwrap()
        });
        stream.shutdown(Shutdown::Both).unwrap();
        assert_eq!(reader.join().unwrap(), 0);
    });
}

#[test]
fn a_half_closed_connection_still_answers() {
    on_both(|| {
        let (mut stream, mut peer) = pair();
        peer.write_all(b"question").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut question = String::new();
        stream.read_to_string(&mut question).unwrap();
        assert_eq!(question, "question");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        stream.write_all(b"answer").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer");
    });
}

#[test]
fn data_that_came_with_the_end_is_read_first() {
    on_both(|| {
        let (mut stream, mut peer) = pair();
        peer.write_all(b"last words").unwrap();
        drop(peer);
        // Reads that are not filled by it, so that the second has to find the end by itself.
        let mut buf = [0; 100];
        let mut count = 0;
        loop {
            match stream.read(&mut buf[count..]).unwrap() {
                0 => break,
                more => count += more,
            }
        }
        assert_eq!(&buf[..count], b"last words");
    });
}

#[test]
fn a_reset_is_an_error_for_who_waits() {
    on_both(|| {
        let (stream, peer) = pair();
        let peer = TcpStream::from(peer);
        let reader = started(&stream, |mut stream| stream.read(&mut [0]));
        peer.set_linger(Some(Duration::ZERO)).unwrap();
        assert_eq!(peer.linger().unwrap(), Some(Duration::ZERO));
        drop(peer);
        let error = reader.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_linger_of_zero_resets_with_the_last_handle() {
    on_both(|| {
        let (stream, mut peer) = pair();
        stream.set_linger(Some(Duration::ZERO)).unwrap();
        let handle = stream.try_clone().unwrap();
        drop(stream);
        (&handle).write_all(b"alive").unwrap();
        peer.read_exact(&mut [0; 5]).unwrap();
        drop(handle);
        let error = peer.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn writing_to_who_is_gone_fails() {
    on_both(|| {
        let (mut stream, peer) = pair();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        drop(peer);
        let error = loop {
            if let Err(error) = stream.write(b"anyone?") {
                break error;
            }
        };
        let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
    });
}
