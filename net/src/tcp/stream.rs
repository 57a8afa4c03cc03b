//! `TcpStream`: std's, with handles that share one descriptor.

use super::connect;
use crate::addr::{ToSocketAddrs, try_each};
use crate::calls::DONTWAIT_COVERS_SENDING;
use crate::socket::Socket;
use socket2::SockRef;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

/// A TCP connection, as [`std::net::TcpStream`].
///
/// Reading and writing need `&TcpStream` only. Any number of threads of either kind may do so at
/// once; while one is waiting it holds a handle, so the descriptor cannot close under it.
///
/// ```
/// use greenwire_net::{Shutdown, TcpListener, TcpStream};
/// use greenwire_runtime::thread;
/// use std::io::{self, Read, Write};
///
/// # fn main() -> io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let mut peer = TcpStream::connect(listener.local_addr()?)?;
/// let (stream, _) = listener.accept()?;
/// let mut writer = stream.try_clone()?;
/// let source = thread::spawn(move || {
///     for line in ["one\n", "two\n"] {
///         writer.write_all(line.as_bytes())?;
///     }
///     writer.shutdown(Shutdown::Write)
/// });
/// # peer.shutdown(Shutdown::Write)?;
/// io::copy(&mut &stream, &mut io::sink())?;
/// source.join().unwrap()?;
/// # let mut text = String::new();
/// # peer.read_to_string(&mut text)?;
/// # assert_eq!(text, "one\ntwo\n");
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// - [`try_clone`](Self::try_clone) gives a handle to the same descriptor; the connection closes
///   with the last handle.
/// - Conversions into std's type and into `OwnedFd` can fail; see [`into_std`](Self::into_std).
/// - A read into no space returns 0 at once; std's waits until there is something to read.
/// - A green thread's calls are not interrupted by signals (`ErrorKind::Interrupted`).
///
/// # Platforms
///
/// The descriptor stays in blocking mode, as std's. On Apple's systems it is in non-blocking mode for
/// as long as it is here, because there a single call cannot be kept from waiting.
pub struct TcpStream {
    socket: Arc<Socket<net::TcpStream>>,
}

impl TcpStream {
    /// Connects to the first of the addresses that accepts.
    ///
    /// # Errors
    ///
    /// That of the last address tried; those of [`ToSocketAddrs::to_socket_addrs`].
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        try_each(addr, connect::connect).map(TcpStream::new)
    }

    /// Connects to one address within `timeout`.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the time is up, `InvalidInput` if there was none, the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        connect::connect_timeout(addr, timeout).map(TcpStream::new)
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// Ends one direction or both, for every handle, and wakes whoever waits on the stream: readers
    /// get the end of the stream, writers `BrokenPipe`.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the connection is gone already.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let result = self.get_ref().shutdown(how);
        self.socket.wake_all();
        result
    }

    /// Another handle to the same descriptor. Never fails.
    ///
    /// # Errors
    ///
    /// None; the signature is std's.
    ///
    /// # Differences from std
    ///
    /// Std duplicates the descriptor, of which a process has few.
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        let socket = self.socket.clone();
        Ok(TcpStream { socket })
    }

    /// Limits how long a read may wait from now on, for every handle. `None` is no limit.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.get_ref().set_read_timeout(dur)?;
        self.socket.read_timeout.set(dur);
        Ok(())
    }

    /// Limits how long a write may wait from now on, for every handle. `None` is no limit.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.get_ref().set_write_timeout(dur)?;
        self.socket.write_timeout.set(dur);
        Ok(())
    }

    /// How long a read may wait, as the system rounded it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.get_ref().read_timeout()
    }

    /// How long a write may wait, as the system rounded it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.get_ref().write_timeout()
    }

    /// Reads what comes next and leaves it there. Waits as a read does.
    ///
    /// # Errors
    ///
    /// As a read's.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.peek(buf)
    }

    /// Reads what is there now and never waits, on either kind of thread. 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; as a read's otherwise.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.try_read(buf)
    }

    /// Writes what the socket takes now and never waits, on either kind of thread.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it takes nothing; as a write's otherwise.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.try_write(buf)
    }

    /// As [`try_write`](Self::try_write), from several buffers.
    ///
    /// # Errors
    ///
    /// As [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.try_write_vectored(bufs)
    }

    /// Waits without a buffer: parks a green thread until a read is likely to get something, be it
    /// data, the end or an error.
    ///
    /// An OS thread waits in the read itself, which saves a system call: there this returns at once.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the read timeout passes.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn park_until_readable(&self) -> io::Result<()> {
        self.socket.park_until_readable()
    }

    /// Sets what dropping the last handle does with bytes that are not delivered yet. `None`, the
    /// default: the system goes on delivering them. Zero: they are discarded and the peer sees a
    /// reset. Other times: the drop itself waits that long for delivery, *in the kernel*, which holds
    /// up every green thread of the OS thread.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(self).set_linger(linger)
    }

    /// What was set by [`set_linger`](Self::set_linger).
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self).linger()
    }

    /// Sets whether small writes leave at once (`TCP_NODELAY`) or may wait to be joined with the next.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.get_ref().set_nodelay(nodelay)
    }

    /// Whether small writes leave at once.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.get_ref().nodelay()
    }

    /// Sets the time to live of the packets sent.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.get_ref().set_ttl(ttl)
    }

    /// The time to live of the packets sent.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.get_ref().ttl()
    }

    /// Takes the error that is pending on the socket.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot tell.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// Makes reads and writes return `WouldBlock` at once instead of waiting, on every kind of thread
    /// and for every handle; or wait again. [`park_until_readable`](Self::park_until_readable) waits
    /// all the same.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }

    /// Turns it into std's, with the same descriptor if this is the only handle, else with a
    /// duplicate.
    ///
    /// ```
    /// # use greenwire_net::{TcpListener, TcpStream};
    /// # fn main() -> std::io::Result<()> {
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// let stream: std::net::TcpStream = stream.into_std()?;
    /// let stream = TcpStream::from(stream);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The system's, when there are no free descriptors for a duplicate. On Apple's systems
    /// `ResourceBusy` if there are other handles, because a duplicate would share their non-blocking
    /// mode.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        match Arc::try_unwrap(self.socket) {
            Ok(socket) => socket.into_inner(),
            Err(shared) if DONTWAIT_COVERS_SENDING => shared.get_ref().try_clone(),
            Err(_) => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    /// The first handle.
    pub(super) fn new(socket: Socket<net::TcpStream>) -> TcpStream {
        let socket = Arc::new(socket);
        TcpStream { socket }
    }

    fn get_ref(&self) -> &net::TcpStream {
        self.socket.get_ref()
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.read_vectored(bufs)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.read_vectored(bufs)
    }
}

impl Write for TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<net::TcpStream> for TcpStream {
    /// Timeouts and blocking mode go on as they were set.
    fn from(stream: net::TcpStream) -> TcpStream {
        TcpStream::new(Socket::adopt(stream))
    }
}

impl From<OwnedFd> for TcpStream {
    /// As from std's stream. The descriptor has to be a connected TCP socket.
    fn from(fd: OwnedFd) -> TcpStream {
        net::TcpStream::from(fd).into()
    }
}

impl TryFrom<TcpStream> for OwnedFd {
    type Error = io::Error;

    /// By [`TcpStream::into_std`].
    fn try_from(stream: TcpStream) -> io::Result<OwnedFd> {
        stream.into_std().map(OwnedFd::from)
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get_ref().fmt(f)
    }
}
