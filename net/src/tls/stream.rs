//! `TlsStream` and its halves: handles to a connection.

use super::connection::Connection;
use crate::TcpStream;
use rustls::pki_types::CertificateDer;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

/// A TLS connection: what is read and written here is encrypted on the [`TcpStream`] below.
///
/// It is made by an [`Acceptor`](super::Acceptor) or a [`Connector`](super::Connector). Reading and writing
/// need `&TlsStream` only, and any number of threads of either kind may do so at once. Readers take turns, and
/// so do writers; nothing limits how long one waits for its turn. For a loop that reads and another one that writes see [`split`](Self::split).
///
/// Timeouts and non-blocking mode are those of the stream below, by [`get_ref`](Self::get_ref).
#[derive(Debug)]
pub struct TlsStream {
    connection: Arc<Connection>,
}

impl TlsStream {
    pub(super) fn new(connection: Connection) -> TlsStream {
        let connection = Arc::new(connection);
        TlsStream { connection }
    }

    /// A half to read from and a half to write to. The connection closes when both are gone.
    ///
    /// ```no_run
    /// # fn chat(stream: greenwire_net::tls::TlsStream) -> std::io::Result<()> {
    /// use greenwire_runtime::thread;
    /// use std::io::{self, Write};
    ///
    /// let (mut reader, mut writer) = stream.split();
    /// let source = thread::spawn(move || {
    ///     for line in ["one\n", "two\n"] {
    ///         writer.write_all(line.as_bytes())?;
    ///     }
    ///     writer.shutdown()
    /// });
    /// io::copy(&mut reader, &mut io::sink())?;
    /// source.join().unwrap()
    /// # }
    /// ```
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        let reader = ReadHalf(self.handle());
        (reader, WriteHalf(self))
    }

    /// Another handle to the same connection, which closes with the last one. Never fails; the signature is
    /// that of [`TcpStream::try_clone`].
    ///
    /// # Errors
    ///
    /// None.
    pub fn try_clone(&self) -> io::Result<TlsStream> {
        Ok(self.handle())
    }

    /// The stream below: for its addresses, its timeouts, its options. Whoever reads from it or writes to
    /// it breaks the connection.
    pub fn get_ref(&self) -> &TcpStream {
        self.connection.socket()
    }

    /// Ends one direction or both, for every handle, and wakes whoever waits. The end of writing is told to
    /// the peer by `close_notify`, after all that was written. Readers here get the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the write timeout passes before everything is sent; as
    /// [`TcpStream::shutdown`] and a write otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here, to end writing.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.connection.shutdown(how)
    }

    /// Waits until a read need not wait: for data, the end or an error. As
    /// [`TcpStream::park_until_readable`], it is for those who want no buffer meanwhile; here an OS thread
    /// waits, too.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the read timeout passes; as a read's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn park_until_readable(&self) -> io::Result<()> {
        self.connection.park_until_readable()
    }

    /// The application protocol that both sides agreed on by ALPN.
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        let state = self.connection.state();
        state.tls.alpn_protocol().map(<[u8]>::to_vec)
    }

    /// On the server: the name that the client asked for (SNI).
    pub fn server_name(&self) -> Option<String> {
        match &self.connection.state().tls {
            rustls::Connection::Server(server) => server.server_name().map(str::to_owned),
            rustls::Connection::Client(_) => None,
        }
    }

    /// The certificates of the peer, its own first.
    pub fn peer_certificates(&self) -> Option<Vec<CertificateDer<'static>>> {
        let state = self.connection.state();
        state.tls.peer_certificates().map(<[_]>::to_vec)
    }

    /// The version of the protocol.
    pub fn protocol_version(&self) -> Option<rustls::ProtocolVersion> {
        self.connection.state().tls.protocol_version()
    }

    /// Whether the handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        let kind = self.connection.state().tls.handshake_kind();
        kind == Some(rustls::HandshakeKind::Resumed)
    }

    /// Reads what has come and is whole, and never waits, on either kind of thread. 0 is the end of the
    /// stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; as a read's otherwise.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.connection.try_read(buf)
    }

    /// Takes bytes to be sent, and never waits, on either kind of thread. What the socket does not take now
    /// leaves with the next write or flush; [`try_flush`](Self::try_flush) tells whether that is needed.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while what was taken before has not left; as a write's otherwise.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.connection.try_write(buf)
    }

    /// Sends what was taken before, and never waits.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if not all of it has left; as a write's otherwise.
    pub fn try_flush(&self) -> io::Result<()> {
        self.connection.try_flush()
    }

    fn handle(&self) -> TlsStream {
        let connection = self.connection.clone();
        TlsStream { connection }
    }
}

impl Read for &TlsStream {
    /// Waits for at least one byte. 0 is the end that the peer has confirmed by `close_notify`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.connection.read(buf)
    }
}

impl Write for &TlsStream {
    /// Waits until what it takes has been sent. If the write timeout passes meanwhile, it is taken all the
    /// same and sent by the next write or flush, which then may fail with `WouldBlock`.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.connection.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.flush()
    }
}

impl Read for TlsStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.connection.read(buf)
    }
}

impl Write for TlsStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.connection.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.flush()
    }
}

/// The half of a [`TlsStream`] to read from; see [`TlsStream::split`].
#[derive(Debug)]
pub struct ReadHalf(TlsStream);

impl ReadHalf {
    /// The whole stream.
    pub fn get_ref(&self) -> &TlsStream {
        &self.0
    }
}

impl Read for ReadHalf {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

/// The half of a [`TlsStream`] to write to; see [`TlsStream::split`].
///
/// Its drop tells the peer by `close_notify` that nothing more comes, if the socket takes that at once;
/// [`shutdown`](Self::shutdown) waits for it. It is not told while a panic or a cancellation unwinds.
#[derive(Debug)]
pub struct WriteHalf(TlsStream);

impl WriteHalf {
    /// The whole stream.
    pub fn get_ref(&self) -> &TlsStream {
        &self.0
    }

    /// Ends writing; see [`TlsStream::shutdown`].
    ///
    /// # Errors
    ///
    /// As [`TlsStream::shutdown`].
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn shutdown(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

impl Write for WriteHalf {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        self.0.connection.end_writing();
    }
}
