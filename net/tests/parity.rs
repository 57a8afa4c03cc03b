//! The same sources against std and against greenwire: the swap of the name is all that differs.
//!
//! The programs in `parity/` run three times: over std, and over greenwire on either kind of thread.

#![allow(clippy::duplicate_mod, reason = "that they are the same is the point")]

mod support;

/// Makes tests of a program's functions, run as the module around it says.
macro_rules! stories {
    ($($(#[$condition:meta])? $story:ident),* $(,)?) => {
        mod tests {$(
            #[test]
            $(#[$condition])?
            fn $story() -> std::io::Result<()> {
                super::super::run(super::$story)
            }
        )*}
    };
}

#[path = "parity"]
mod over_std {
    use std::os::unix::net as unix;
    use std::{net, thread};

    mod ipv6;
    mod signatures;
    mod tcp;
    mod udp;
    mod unix_sockets;

    fn run(story: fn() -> std::io::Result<()>) -> std::io::Result<()> {
        story()
    }
}

#[path = "parity"]
mod over_greenwire {
    use greenwire_net::{self as net, unix};
    use greenwire_runtime::thread;

    mod ipv6;
    mod signatures;
    mod tcp;
    mod udp;
    mod unix_sockets;

    fn run(story: fn() -> std::io::Result<()>) -> std::io::Result<()> {
        story()
    }
}

#[path = "parity"]
mod on_green_threads {
    use greenwire_net::{self as net, unix};
    use greenwire_runtime::thread;

    mod ipv6;
    mod tcp;
    mod udp;
    mod unix_sockets;

    fn run(story: fn() -> std::io::Result<()>) -> std::io::Result<()> {
        thread::spawn(story).join().unwrap()
    }
}
