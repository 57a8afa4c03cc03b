//! Taking websocket frames apart: headers parsed, payloads unmasked, each message handed out.
//!
//! Every library finds the same bytes in memory, where its socket would be, and is asked for one binary
//! message after the other, by the call that costs it least. Greenwire gets them in one piece, as what came behind
//! an opening handshake; it copies them there within the time, as a read would.

use crate::case::Case;
use futures_util::StreamExt;
use greenwire_runtime::thread;
use greenwire_websocket::Config;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tokio::io::{Join, Sink, join, sink};
use tokio::runtime::Builder;

/// How many bytes of payload are in memory at a time, if a frame has not more: about what a server reads at once.
const WIRE: usize = 1 << 16;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(of::<16>("websocket frames of 16 B"));
    cases.extend(of::<128>("websocket frames of 128 B"));
    cases.extend(of::<1024>("websocket frames of 1 KiB"));
    cases.extend(of::<16384>("websocket frames of 16 KiB"));
    cases.extend(of::<1048576>("websocket frames of 1 MiB"));
    cases
}

/// The same for every library, with payloads of `N` bytes. One operation is one frame.
fn of<const N: usize>(name: &'static str) -> [Case; 4] {
    let case = |peer, run| Case {
        name,
        peer,
        workers: 1,
        run,
        at_least: frames(N),
    };
    [
        case("greenwire", greenwire::<N>),
        case("tungstenite", tungstenite::<N>),
        case("tokio-websockets", tokio_websockets::<N>),
        case("fastwebsockets", fastwebsockets::<N>),
    ]
}

/// How many frames are in memory at a time.
fn frames(payload: usize) -> u64 {
    (WIRE / payload).max(1) as u64
}

/// Masked frames as a client sends them.
fn wire(payload: usize) -> Vec<u8> {
    const KEY: [u8; 4] = [0x5a, 0x01, 0xff, 0x13];
    let mut frame = vec![0x82];
    match payload {
        0..126 => frame.push(0x80 | payload as u8),
        126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((payload as u16).to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend((0..payload).map(|i| i as u8));
    frame.repeat(frames(payload) as usize)
}

/// Adds up what `take_apart` measures, for so many operations. Making a connection is not in it.
///
/// Greenwire has to have a socket. The others get one as well, so that the system calls between two connections
/// leave as much in the CPU's caches to all.
fn measure<const N: usize>(
    operations: u64,
    take_apart: impl Fn(&[u8], UnixStream) -> Duration,
) -> Duration {
    let wire = wire(N);
    let connection = |_| {
        let (stream, _) = UnixStream::pair().expect("two descriptors");
        take_apart(&wire, stream)
    };
    (0..operations / frames(N)).map(connection).sum()
}

/// How long it takes to get every frame, each of which has `N` bytes of payload.
fn timed<const N: usize>(mut next: impl FnMut() -> usize) -> Duration {
    let start = Instant::now();
    let bytes: usize = (0..frames(N)).map(|_| next()).sum();
    let taken = start.elapsed();
    assert_eq!(bytes, N * frames(N) as usize);
    taken
}

fn greenwire<const N: usize>(operations: u64) -> Duration {
    let config = Config::default();
    let run = move || {
        measure::<N>(operations, |wire, stream| {
            let stream = greenwire_net::unix::UnixStream::from(stream);
            let start = Instant::now();
            let read = wire.to_vec();
            let mut taken = start.elapsed();
            config.serve_upgraded(stream, read, |mut ws| {
                taken += timed::<N>(|| match ws.receive_ref() {
                    Ok(Some(message)) => message.len(),
                    end => panic!("no message: {end:?}"),
                });
                Ok(())
            });
            taken
        })
    };
    thread::spawn(run).join().expect("it does not panic")
}

/// What a library without I/O of its own reads from; what it writes is nobody's.
struct InMemory<'a>(Cursor<&'a [u8]>);

impl Read for InMemory<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for InMemory<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tungstenite<const N: usize>(operations: u64) -> Duration {
    use tungstenite::protocol::{Role, WebSocket};
    measure::<N>(operations, |wire, _stream| {
        let stream = InMemory(Cursor::new(wire));
        let mut ws = WebSocket::from_raw_socket(stream, Role::Server, None);
        timed::<N>(|| ws.read().expect("a message").len())
    })
}

/// What an asynchronous library reads from and writes to.
fn in_memory(wire: &[u8]) -> Join<&[u8], Sink> {
    join(wire, sink())
}

/// As [`timed`], within one asynchronous block.
async fn timed_async<const N: usize>(mut next: impl AsyncFnMut() -> usize) -> Duration {
    let start = Instant::now();
    let mut bytes = 0;
    for _ in 0..frames(N) {
        bytes += next().await;
    }
    let taken = start.elapsed();
    assert_eq!(bytes, N * frames(N) as usize);
    taken
}

fn tokio_websockets<const N: usize>(operations: u64) -> Duration {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    measure::<N>(operations, |wire, _stream| {
        let mut ws = tokio_websockets::ServerBuilder::new().serve(in_memory(wire));
        runtime.block_on(timed_async::<N>(async || {
            let message = ws.next().await.expect("not the end");
            message.expect("a message").into_payload().len()
        }))
    })
}

fn fastwebsockets<const N: usize>(operations: u64) -> Duration {
    use fastwebsockets::{Role, WebSocket};
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    measure::<N>(operations, |wire, _stream| {
        let mut ws = WebSocket::after_handshake(in_memory(wire), Role::Server);
        runtime.block_on(timed_async::<N>(async || {
            ws.read_frame().await.expect("a frame").payload.len()
        }))
    })
}
