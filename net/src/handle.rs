//! What all sockets have in the same words: handles that share a descriptor, timeouts, modes, and
//! conversions from and to std. What is written here holds for each of them.

/// Everything for `$Type { socket: Arc<Socket<$Std>> }`.
macro_rules! socket_handle {
    ($Type:ident, $Std:ty) => {
        impl $Type {
            /// Another handle to the same descriptor. Never fails.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            ///
            /// # Differences from std
            ///
            /// Std duplicates the descriptor, of which a process has few.
            pub fn try_clone(&self) -> io::Result<$Type> {
                let socket = self.socket.clone();
                Ok($Type { socket })
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

            /// Makes calls that would wait return `WouldBlock` at once, on every kind of thread and
            /// for every handle; or wait again.
            ///
            /// # Errors
            ///
            /// The system's.
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.socket.set_nonblocking(nonblocking)
            }

            /// Takes the error that is pending on the socket.
            ///
            /// # Errors
            ///
            /// The system's, if it cannot tell.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.get_ref().take_error()
            }

            /// Turns it into std's, with the same descriptor if this is the only handle, else with a
            /// duplicate.
            ///
            /// # Errors
            ///
            /// The system's, when there are no free descriptors for a duplicate. On Apple's systems
            /// `ResourceBusy` if there are other handles, because a duplicate would share their
            /// non-blocking mode.
            pub fn into_std(self) -> io::Result<$Std> {
                match Arc::try_unwrap(self.socket) {
                    Ok(socket) => socket.into_inner(),
                    Err(shared) if crate::calls::DONTWAIT_COVERS_SENDING => {
                        shared.get_ref().try_clone()
                    }
                    Err(_) => Err(io::ErrorKind::ResourceBusy.into()),
                }
            }

            /// The first handle.
            pub(crate) fn new(socket: Socket<$Std>) -> $Type {
                let socket = Arc::new(socket);
                $Type { socket }
            }

            fn get_ref(&self) -> &$Std {
                self.socket.get_ref()
            }
        }

        impl From<$Std> for $Type {
            /// Timeouts and blocking mode go on as they were set.
            fn from(socket: $Std) -> $Type {
                $Type::new(Socket::adopt(socket))
            }
        }

        crate::handle::conversions!($Type, $Std);
    };
}

/// Everything for `$Type { listener: Arc<Listener<$Std>> }`.
macro_rules! listener_handle {
    ($Type:ident, $Std:ty) => {
        impl $Type {
            /// Another handle to the same descriptor, so that several threads accept. Never fails.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            pub fn try_clone(&self) -> io::Result<$Type> {
                let listener = self.listener.clone();
                Ok($Type { listener })
            }

            /// Makes [`accept`](Self::accept) return `WouldBlock` at once instead of waiting, on
            /// every kind of thread and for every handle; or wait again.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.listener.set_nonblocking(nonblocking);
                Ok(())
            }

            /// Takes the error that is pending on the socket.
            ///
            /// # Errors
            ///
            /// The system's, if it cannot tell.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.get_ref().take_error()
            }

            /// Turns it into std's, in the mode last asked of
            /// [`set_nonblocking`](Self::set_nonblocking).
            ///
            /// # Errors
            ///
            /// `ResourceBusy` if there are other handles: the descriptor has one mode for all, and a
            /// blocking one would let their `accept` hold up every green thread of an OS thread.
            pub fn into_std(self) -> io::Result<$Std> {
                let only = Arc::try_unwrap(self.listener);
                only.map_err(|_| io::ErrorKind::ResourceBusy)?.into_inner()
            }

            fn get_ref(&self) -> &$Std {
                self.listener.get_ref()
            }

            /// What a server waits on.
            pub(crate) fn source(&self) -> &Source<$Std> {
                self.listener.source()
            }

            /// The first handle.
            fn new(listener: Listener<$Std>) -> $Type {
                let listener = Arc::new(listener);
                $Type { listener }
            }
        }

        impl From<$Std> for $Type {
            /// The descriptor goes into non-blocking mode; the listener goes on behaving as it did.
            fn from(listener: $Std) -> $Type {
                $Type::new(Listener::adopt(listener))
            }
        }

        crate::handle::conversions!($Type, $Std);
    };
}

/// From and to descriptors, by way of std's type.
macro_rules! conversions {
    ($Type:ident, $Std:ty) => {
        impl From<OwnedFd> for $Type {
            /// As from std's type. The descriptor has to be a socket of this kind.
            fn from(fd: OwnedFd) -> $Type {
                <$Std>::from(fd).into()
            }
        }

        impl TryFrom<$Type> for $Std {
            type Error = io::Error;

            /// By `into_std`.
            fn try_from(socket: $Type) -> io::Result<$Std> {
                socket.into_std()
            }
        }

        impl TryFrom<$Type> for OwnedFd {
            type Error = io::Error;

            /// By `into_std`.
            fn try_from(socket: $Type) -> io::Result<OwnedFd> {
                socket.into_std().map(OwnedFd::from)
            }
        }

        impl AsFd for $Type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.get_ref().as_fd()
            }
        }

        impl AsRawFd for $Type {
            fn as_raw_fd(&self) -> RawFd {
                self.get_ref().as_raw_fd()
            }
        }

        impl fmt::Debug for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get_ref().fmt(f)
            }
        }
    };
}

/// What streams have beyond that.
macro_rules! stream_handle {
    ($Type:ident) => {
        impl $Type {
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

            #[inline]
            pub(crate) fn read_lent(
                &self,
                limit: Option<Duration>,
            ) -> io::Result<(crate::Buffer, usize)> {
                if self.socket.is_the_kernels() {
                    self.limit_reads(limit)?;
                }
                self.socket.read_lent(limit)
            }

            pub(crate) fn limit_reads(&self, limit: Option<Duration>) -> io::Result<()> {
                match self.socket.read_timeout.get() == limit {
                    true => Ok(()),
                    false => self.set_read_timeout(limit),
                }
            }
        }

        crate::handle::stream_io!($Type, &$Type);
    };
}

/// `Read` and `Write`, for the types and for references to them.
macro_rules! stream_io {
    ($($Type:ty),*) => {$(
        impl Read for $Type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.socket.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.socket.read_vectored(bufs)
            }
        }

        impl Write for $Type {
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
    )*};
}

pub(crate) use {conversions, listener_handle, socket_handle, stream_handle, stream_io};
