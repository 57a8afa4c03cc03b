//! A greenwire server as the system sees it: it sleeps when it has nothing to do, and starts no
//! worker when it is asked for OS threads.

#![cfg(target_os = "linux")]

mod support;

use greenwire::websocket;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;
use support::Website;

/// Connections of each kind, opened, used and closed.
fn load(relay: &Website) {
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&relay.address).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
    for _ in 0..50 {
        let url = format!("ws://{}/relay", relay.address);
        let mut socket = websocket::connect(&url).unwrap();
        assert!(socket.receive().unwrap().is_some());
    }
}

/// Name and voluntary context switches of each OS thread of the relay.
fn os_threads(relay: &Website) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{}/task", relay.id())).unwrap();
    let status = |task: std::io::Result<fs::DirEntry>| {
        let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        Some((
            field("Name")?,
            field("voluntary_ctxt_switches")?.parse().ok()?,
        ))
    };
    let mut threads: Vec<_> = tasks.filter_map(status).collect();
    threads.sort();
    threads
}

#[test]
fn an_idle_process_never_wakes() {
    let relay = Website::relay(&["--workers", "2"]);
    load(&relay);
    let idle = |_| {
        thread::sleep(Duration::from_secs(3));
        let before = os_threads(&relay);
        thread::sleep(Duration::from_secs(10));
        (os_threads(&relay) == before).then_some(before)
    };
    // What the load has left to do may take a while on a busy machine.
    let threads = (0..6).find_map(idle).expect("some rest of ten seconds");
    let names: Vec<_> = threads.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["greenwire-0", "greenwire-1", "relay"]);
}

#[test]
fn on_os_threads_there_is_no_worker() {
    let relay = Website::relay(&["--threads"]);
    let url = format!("ws://{}/relay", relay.address);
    let mut sockets: Vec<_> = (0..5).map(|_| websocket::connect(&url).unwrap()).collect();
    for socket in &mut sockets {
        assert!(socket.receive().unwrap().is_some());
    }
    let threads = os_threads(&relay);
    assert!(threads.len() > 10, "two for each connection: {threads:?}");
    assert!(
        !threads
            .iter()
            .any(|(name, _)| name.starts_with("greenwire"))
    );
}
