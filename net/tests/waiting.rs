//! Reads and writes that wait, and the calls that never do, on either kind of thread.

mod support;

use greenwire_net::{Buffer, Shutdown, TcpStream};
use greenwire_runtime::time;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::{fill, on_both, pair, pair_of_ours, peer};

const SHORT: Duration = Duration::from_millis(30);

#[track_caller]
fn assert_would_block<T: std::fmt::Debug>(result: std::io::Result<T>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn bytes_that_trickle_arrive_in_order() {
    on_both(|| {
        let (mut stream, mut source) = pair();
        source.set_nodelay(true).unwrap();
        let sent: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let expected = sent.clone();
        let source = peer(move || sent.iter().try_for_each(|byte| source.write_all(&[*byte])));
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert!(received == expected);
        source.join().unwrap().unwrap();
    });
}

#[test]
fn much_goes_both_ways_at_once() {
    const LEN: usize = 8 << 20;
    on_both(|| {
        let (stream, far) = pair_of_ours();
        let mut writer = stream.try_clone().unwrap();
        let sender = greenwire_runtime::thread::spawn(move || {
            writer.write_all(&vec![1; LEN]).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let far = peer(move || {
            let mut sink = far.try_clone().unwrap();
            let sent = peer(move || {
                sink.write_all(&vec![2; LEN]).unwrap();
                sink.shutdown(Shutdown::Write).unwrap();
            });
            let mut received = Vec::new();
            (&far).read_to_end(&mut received).unwrap();
            sent.join().unwrap();
            received == vec![1; LEN]
        });
        let mut received = Vec::new();
        (&stream).read_to_end(&mut received).unwrap();
        assert!(received == vec![2; LEN]);
        sender.join().unwrap();
        assert!(far.join().unwrap());
    });
}

#[test]
fn slices_are_gathered_and_scattered() {
    on_both(|| {
        let (mut stream, mut peer) = pair();
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(stream.write_vectored(&parts).unwrap(), 5);
        assert_eq!(stream.try_write_vectored(&parts[..2]).unwrap(), 2);
        let mut text = [0; 7];
        peer.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"abcdeab");

        peer.write_all(b"vwxyz").unwrap();
        let (mut one, mut two) = ([0; 2], [0; 9]);
        let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(stream.read_vectored(&mut parts).unwrap(), 5);
        assert_eq!((&one, &two[..3]), (b"vw", &b"xyz"[..]));
    });
}

#[test]
fn more_slices_than_a_call_takes_are_written_in_part() {
    on_both(|| {
        let (mut stream, mut peer) = pair();
        let parts = vec![IoSlice::new(b"x"); 3000];
        let sent = stream.write_vectored(&parts).unwrap();
        let tried = stream.try_write_vectored(&parts).unwrap();
        assert!((1..3000).contains(&sent) && (1..3000).contains(&tried));
        drop(stream);
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent + tried);
    });
}

#[test]
fn what_is_peeked_at_is_read_again() {
    on_both(|| {
        let (mut stream, mut source) = pair();
        source.write_all(b"seen").unwrap();
        let mut buf = [0; 4];
        while stream.peek(&mut buf).unwrap() < 4 {}
        assert_eq!(stream.peek(&mut buf[..2]).unwrap(), 2);
        buf.fill(0);
        stream.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"seen");
        drop(source);
        assert_eq!(stream.peek(&mut buf).unwrap(), 0);
    });
}

#[test]
fn a_read_into_no_space_does_not_wait() {
    on_both(|| {
        let (mut stream, _peer) = pair();
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        assert_eq!(stream.read_vectored(&mut []).unwrap(), 0);
        assert_eq!(stream.peek(&mut []).unwrap(), 0);
        assert_eq!(stream.try_read(&mut []).unwrap(), 0);
        assert_eq!(stream.write(&[]).unwrap(), 0);
        assert_eq!(stream.try_write_vectored(&[IoSlice::new(&[])]).unwrap(), 0);
    });
}

#[test]
fn a_read_gives_up_after_its_timeout() {
    on_both(|| {
        let (mut stream, mut source) = pair();
        stream.set_read_timeout(Some(SHORT)).unwrap();
        let reads: [fn(&mut TcpStream) -> std::io::Result<usize>; 3] = [
            |stream| stream.read(&mut [0]),
            |stream| stream.read_vectored(&mut [IoSliceMut::new(&mut [0])]),
            |stream| stream.peek(&mut [0]),
        ];
        for read in reads {
            let start = Instant::now();
            assert_would_block(read(&mut stream));
            assert!(start.elapsed() >= SHORT);
        }
        // The stream is as good as before, and the limit holds for the other handles.
        assert_would_block(stream.try_clone().unwrap().read(&mut [0]));
        source.write_all(b"x").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    });
}

#[test]
fn a_write_gives_up_after_its_timeout() {
    on_both(|| {
        let (mut stream, _peer) = pair();
        stream.set_write_timeout(Some(SHORT)).unwrap();
        let writes: [fn(&mut TcpStream) -> std::io::Result<usize>; 2] = [
            |stream| stream.write(&[0; 1 << 16]),
            |stream| stream.write_vectored(&[IoSlice::new(&[0; 1 << 16])]),
        ];
        for write in writes {
            // A full socket may get room once more, when the system moves what it holds to the peer's.
            let (after, error) = loop {
                let start = Instant::now();
                if let Err(error) = write(&mut stream) {
                    break (start.elapsed(), error);
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(after >= SHORT);
        }
    });
}

#[test]
fn a_full_socket_takes_more_once_the_peer_reads() {
    on_both(|| {
        let (mut stream, mut sink) = pair();
        let taken = fill(&stream);
        let sink = peer(move || std::io::copy(&mut sink, &mut std::io::sink()).unwrap());
        stream.write_all(&[0; 1 << 20]).unwrap();
        drop(stream);
        assert_eq!(sink.join().unwrap(), (taken + (1 << 20)) as u64);
    });
}

#[test]
fn tries_never_wait() {
    on_both(|| {
        let (stream, mut source) = pair();
        assert_would_block(stream.try_read(&mut [0; 8]));
        source.write_all(b"abc").unwrap();
        while stream.peek(&mut [0; 8]).unwrap() < 3 {}
        let mut buf = [0; 8];
        assert_eq!(stream.try_read(&mut buf).unwrap(), 3);
        assert_would_block(stream.try_read(&mut buf));
        assert!(fill(&stream) > 0);
        assert_would_block(stream.try_write_vectored(&[IoSlice::new(&[0; 8])]));
        drop(source);
    });
}

/// Waits, then tries: what a connection does that owns no buffer while it is idle.
fn read_without_a_buffer(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    loop {
        stream.park_until_readable()?;
        let mut buffer = Buffer::borrow();
        match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => return result.map(|count| buffer[..count].to_vec()),
        }
    }
}

#[test]
fn a_connection_waits_without_a_buffer() {
    on_both(|| {
        let (stream, mut source) = pair();
        let (ask, asked) = mpsc::channel();
        let source = peer(move || {
            while let Ok(len) = asked.recv() {
                source.write_all(&vec![1; len]).unwrap();
            }
        });
        for len in [1, 1000, 3 * Buffer::SIZE, 1] {
            ask.send(len).unwrap();
            let mut left = len;
            while left > 0 {
                left -= read_without_a_buffer(&stream).unwrap().len();
            }
        }
        drop(ask);
        source.join().unwrap();
        assert_eq!(read_without_a_buffer(&stream).unwrap(), []);
    });
}

#[test]
fn a_wait_without_a_buffer_gives_up_after_the_read_timeout() {
    on_both(|| {
        let (stream, _peer) = pair();
        stream.set_read_timeout(Some(SHORT)).unwrap();
        let start = Instant::now();
        let waited = stream.park_until_readable();
        // An OS thread waits in the read.
        let read = waited.and_then(|()| (&stream).read(&mut [0]));
        assert_would_block(read);
        assert!(start.elapsed() >= SHORT);
    });
}

#[test]
fn in_non_blocking_mode_nothing_waits() {
    on_both(|| {
        let (mut stream, mut peer) = pair();
        let handle = stream.try_clone().unwrap();
        handle.set_nonblocking(true).unwrap();
        assert_would_block(stream.read(&mut [0]));
        assert_would_block(stream.peek(&mut [0]));
        fill(&stream);
        assert_would_block(stream.write(&[0]));
        handle.set_nonblocking(false).unwrap();
        peer.write_all(b"x").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    });
}

/// What a green thread knows of a stream is that there is nothing left. An OS thread must wait all the
/// same, and not ask again and again.
#[test]
fn an_os_thread_waits_where_a_green_one_has_read_all() {
    let (stream, mut source) = pair();
    let mut green = stream.try_clone().unwrap();
    let first = support::started(move || green.read(&mut [0; 8]).unwrap());
    source.write_all(b"x").unwrap();
    assert_eq!(first.join().unwrap(), 1);
    let mut attempts = 0;
    let limited = time::timeout(SHORT, || {
        loop {
            stream.park_until_readable().unwrap();
            assert_would_block(stream.try_read(&mut [0]));
            attempts += 1;
            assert!(attempts < 100, "it does not wait");
        }
    });
    assert_eq!(limited, Err::<(), _>(time::Elapsed));
}

/// The kernel ends a read behind bytes that came with a descriptor, although there are more.
#[test]
fn bytes_behind_a_passed_descriptor_are_read_at_once() {
    on_both(|| {
        let (mut stream, peer) = greenwire_net::unix::UnixStream::pair().unwrap();
        let mut buf = [0; 100];
        // A first wait: from now on the reactor watches the stream.
        stream.set_read_timeout(Some(SHORT)).unwrap();
        assert_would_block(stream.read(&mut buf));
        stream.set_read_timeout(Some(support::DEADLINE)).unwrap();
        send_with_a_descriptor(&peer, b"one");
        (&peer).write_all(b"two").unwrap();
        assert_eq!(stream.read(&mut buf).unwrap(), 3);
        assert_eq!(stream.read(&mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"two");
    });
}

fn send_with_a_descriptor(peer: &greenwire_net::unix::UnixStream, bytes: &[u8]) {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::os::fd::AsFd;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [peer.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let bytes = [IoSlice::new(bytes)];
    sendmsg(peer, &bytes, &mut control, SendFlags::empty()).unwrap();
}
