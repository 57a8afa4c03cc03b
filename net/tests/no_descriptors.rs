//! What happens when the process has no free descriptor. Alone in its process, which it robs of them.

#![cfg(target_os = "linux")]

mod support;

use greenwire_net::unix::{UnixDatagram, UnixStream};
use greenwire_net::{TcpListener, TcpStream, UdpSocket, wait_readable};
use std::fs::File;
use std::io::{self, Read, Write};
use std::{net, os::unix};
use support::{on_both, pair};

/// Opens files until there is no descriptor left.
fn all_descriptors() -> Vec<File> {
    let files = std::iter::repeat_with(|| File::open("/dev/null"));
    files.map_while(Result::ok).collect()
}

#[track_caller]
fn assert_none_left<T>(result: io::Result<T>) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE), "{error}");
}

#[test]
fn each_call_says_so_and_all_goes_on_afterwards() {
    let few = libc::rlimit {
        rlim_cur: 100,
        rlim_max: 100,
    };
    // SAFETY: the pointer is to a valid limit, and no other thread of this process needs more.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &few) }, 0);
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let waiting = net::TcpStream::connect(addr).unwrap();
        let (mut stream, mut peer) = pair();
        let (_near, far) = unix::net::UnixStream::pair().unwrap();
        let taken = all_descriptors();
        assert_none_left(listener.accept());
        assert_none_left(TcpStream::connect(addr));
        assert_none_left(TcpListener::bind("127.0.0.1:0"));
        assert_none_left(UdpSocket::bind("127.0.0.1:0"));
        assert_none_left(UnixStream::pair());
        assert_none_left(UnixDatagram::unbound());
        // An OS thread needs no duplicate to wait.
        let at_most = Some(std::time::Duration::from_millis(1));
        assert!(wait_readable(&far, at_most).is_err());
        // What is open works as before, and its handles need no descriptor.
        let mut handle = stream.try_clone().unwrap();
        handle.write_all(b"x").unwrap();
        peer.read_exact(&mut [0]).unwrap();
        peer.write_all(b"y").unwrap();
        stream.read_exact(&mut [0]).unwrap();

        drop(taken);
        // The connection was not lost.
        let (_, from) = listener.accept().unwrap();
        assert_eq!(from, waiting.local_addr().unwrap());
    });
}
