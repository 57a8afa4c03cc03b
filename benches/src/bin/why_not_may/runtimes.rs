//! The two runtimes behind one trait, so that both run the very same measurements.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// What the measurements use of a runtime.
pub(crate) trait Runtime {
    /// A TCP connection whose reading lets others run.
    type Stream: Read + Write + Send + 'static;

    /// Sets the number of workers; called before anything else, or not at all.
    fn set_workers(count: usize) -> io::Result<()>;
    fn spawn(body: impl FnOnce() + Send + 'static);
    fn park();
    fn yield_now();
    fn sleep(duration: Duration);
    /// Accepts one connection on the loopback interface and serves it, beside the caller.
    fn listen(serve: fn(Self::Stream)) -> io::Result<SocketAddr>;
}

pub(crate) struct May;

impl Runtime for May {
    type Stream = may::net::TcpStream;

    fn set_workers(count: usize) -> io::Result<()> {
        may::config().set_workers(count);
        Ok(())
    }

    fn spawn(body: impl FnOnce() + Send + 'static) {
        may::go!(body);
    }

    fn park() {
        may::coroutine::park();
    }

    fn yield_now() {
        may::coroutine::yield_now();
    }

    fn sleep(duration: Duration) {
        may::coroutine::sleep(duration);
    }

    fn listen(serve: fn(Self::Stream)) -> io::Result<SocketAddr> {
        let listener = may::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        Self::spawn(move || {
            if let Ok((stream, _)) = listener.accept() {
                serve(stream);
            }
        });
        Ok(address)
    }
}

pub(crate) struct Greenwire;

impl Runtime for Greenwire {
    type Stream = greenwire::net::TcpStream;

    fn set_workers(count: usize) -> io::Result<()> {
        greenwire::runtime::Builder::new().workers(count).start()
    }

    fn spawn(body: impl FnOnce() + Send + 'static) {
        greenwire::thread::spawn(body);
    }

    fn park() {
        greenwire::thread::park();
    }

    fn yield_now() {
        greenwire::thread::yield_now();
    }

    fn sleep(duration: Duration) {
        greenwire::thread::sleep(duration);
    }

    fn listen(serve: fn(Self::Stream)) -> io::Result<SocketAddr> {
        let listener = greenwire::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        Self::spawn(move || {
            if let Ok((stream, _)) = listener.accept() {
                serve(stream);
            }
        });
        Ok(address)
    }
}
