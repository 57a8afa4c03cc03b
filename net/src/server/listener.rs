//! What a server needs of a listener, whatever its family.

use crate::socket::{Socket, Stream};
use crate::tcp::{TcpListener, TcpStream};
use crate::unix::{UnixListener, UnixStream};
use greenwire_runtime::io::Source;
use socket2::SockRef;
use std::net::{self, Shutdown};
use std::os::fd::AsFd;
use std::os::unix::net as unix;
use std::sync::Weak;
use std::{fmt, io};

/// A listener that a [`Server`](super::Server) can accept from. Sealed: the listeners of this crate.
pub trait Listener: AsFd + Send + Sync + Sealed + 'static {
    /// An accepted connection.
    type Stream: Send + 'static;
    /// Where it comes from.
    type Addr: fmt::Debug + Send + 'static;

    /// Std's listener.
    #[doc(hidden)]
    type Io: AsFd;

    #[doc(hidden)]
    fn source(&self) -> &Source<Self::Io>;

    /// Accepts without waiting.
    #[doc(hidden)]
    fn try_accept(io: &Self::Io) -> io::Result<(Self::Stream, Self::Addr)>;

    /// What shuts the stream down, and does not keep it open.
    #[doc(hidden)]
    fn shutter(stream: &Self::Stream) -> Weak<dyn Shut>;
}

pub trait Sealed {}

/// Shutting down a stream that another thread owns.
pub trait Shut: Send + Sync {
    fn shut(&self, how: Shutdown);
}

impl<T: Stream + Send + Sync> Shut for Socket<T> {
    fn shut(&self, how: Shutdown) {
        // It fails if the connection is gone, which is as good.
        let _ = SockRef::from(self.get_ref()).shutdown(how);
        self.wake_all();
    }
}

macro_rules! listeners {
    ($($Listener:ident of $Stream:ident and $Addr:ty, over $Io:ty;)*) => {$(
        impl Sealed for $Listener {}

        impl Listener for $Listener {
            type Stream = $Stream;
            type Addr = $Addr;
            type Io = $Io;

            fn source(&self) -> &Source<$Io> {
                self.source()
            }

            fn try_accept(io: &$Io) -> io::Result<($Stream, $Addr)> {
                let (stream, peer) = io.accept()?;
                Ok(($Stream::new(Socket::made(stream)), peer))
            }

            fn shutter(stream: &$Stream) -> Weak<dyn Shut> {
                stream.shutter()
            }
        }
    )*};
}

listeners! {
    TcpListener of TcpStream and net::SocketAddr, over net::TcpListener;
    UnixListener of UnixStream and unix::SocketAddr, over unix::UnixListener;
}
