//! How many descriptors a connection takes. Alone in its process, because it counts them.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::{Read, Write};
use support::{on_both, pair};

fn open_sockets() -> usize {
    let fds = fs::read_dir("/proc/self/fd").unwrap();
    let targets = fds.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[test]
fn splitting_takes_no_second_descriptor() {
    on_both(|| {
        let before = open_sockets();
        let (stream, mut peer) = pair();
        assert_eq!(open_sockets(), before + 2);
        let mut handles: Vec<_> = (0..100).map(|_| stream.try_clone().unwrap()).collect();
        drop(stream);
        assert_eq!(open_sockets(), before + 2);
        for handle in &mut handles {
            handle.write_all(b"x").unwrap();
        }
        peer.read_exact(&mut [0; 100]).unwrap();
        drop(handles);
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        assert_eq!(open_sockets(), before + 1);
    });
}
