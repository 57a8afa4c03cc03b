//! greenwire, all of it under one name. The documentation is README.md.

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[doc(inline)]
pub use greenwire_runtime as runtime;
#[doc(inline)]
pub use greenwire_runtime::{green_local, signal, sync, thread, time, unblock};
#[doc(inline)]
pub use greenwire_system::{fs, io, process};
#[doc(inline)]
pub use {
    greenwire_http as http, greenwire_net as net, greenwire_realtime as realtime,
    greenwire_websocket as websocket,
};

#[cfg(feature = "monkey")]
#[doc(inline)]
pub use greenwire_monkey as monkey;

/// The parts of [`std::os`] that wait.
pub mod os {
    /// Unix.
    ///
    /// ```
    /// use greenwire::os::unix::net::UnixStream;
    /// use std::io::{Read, Write};
    ///
    /// let (mut near, mut far) = UnixStream::pair()?;
    /// far.write_all(b"hello")?;
    /// near.read_exact(&mut [0; 5])?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub mod unix {
        #[doc(inline)]
        pub use greenwire_net::unix as net;
    }
}

/// For those who come from elsewhere: each idiom and its twin.
pub mod porting {
    #[doc = include_str!("../docs/porting-from-gevent.md")]
    pub mod from_gevent {}
    #[doc = include_str!("../docs/porting-from-threads.md")]
    pub mod from_threads {}
    #[doc = include_str!("../docs/porting-from-tokio.md")]
    pub mod from_tokio {}
}
