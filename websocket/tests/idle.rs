//! What a connection takes in memory while nothing happens on it. A process of its own, since it is the process
//! that is counted; and optimised, since other frames are several times as large.

#![cfg(all(target_os = "linux", not(debug_assertions)))]

mod common;

use common::{Raw, frame, serve_echo, wait_until};
use greenwire_websocket::Config;
use std::fs;
use std::net::SocketAddr;

const CONNECTIONS: usize = 400;

/// One page of stack, and what the connection owns, are 5.2 KiB. With a second page it would be 9.2.
const EACH: usize = 7 * 1024;

/// What the process has in memory, in bytes. The clients own nothing but descriptors.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kib: usize = line
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap();
    kib * 1024
}

/// Connections that have echoed something and are idle now.
fn idle(addr: SocketAddr, count: usize) -> Vec<Raw> {
    let connect = |_| {
        let mut raw = Raw::connect(addr);
        raw.write(&frame(0x81, b"hello"));
        assert_eq!(raw.read_frame(), (1, b"hello".to_vec()));
        raw
    };
    (0..count).map(connect).collect()
}

#[test]
fn one_page_of_stack() {
    let addr = serve_echo(Config::default());
    let _first = idle(addr, CONNECTIONS / 8);
    let before = resident();
    let _more = idle(addr, CONNECTIONS);
    // Pages that only the handshake needed are given back after a while.
    wait_until(|| resident() <= before + CONNECTIONS * EACH);
}
