//! gevent's `examples/dns_mass_resolve.py`: looks up many names, so many at a time.
//!
//! ```sh
//! cargo run --example dns_mass_resolve -- localhost example.com rust-lang.org
//! ```
//!
//! You should see the addresses in the order in which they become known, and how long it took. A name
//! that nobody answers for holds up no other one.

use greenwire::net::ToSocketAddrs;
use greenwire::sync::{Mutex, mpsc};
use greenwire::{io, thread};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// How many lookups are under way at once. The system's resolver needs an OS thread for each.
const AT_ONCE: usize = 20;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let (begin, count) = (Instant::now(), names.len());
    let names = Arc::new(Mutex::new(names.into_iter()));
    let (sender, results) = mpsc::channel();
    for _ in 0..AT_ONCE.min(count) {
        let (names, sender) = (names.clone(), sender.clone());
        thread::spawn(move || {
            while let Some(name) = next(&names) {
                let found = resolve(&name);
                if sender.send((name, found)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    for (name, found) in results {
        match found {
            Ok(addrs) => println!("{name} is {addrs:?}"),
            Err(error) => println!("{name}: {error}"),
        }
    }
    println!("{count} names took {:?}", begin.elapsed());
}

fn next(names: &Mutex<impl Iterator<Item = String>>) -> Option<String> {
    names.lock().expect("no holder panics").next()
}

fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut addrs: Vec<_> = (name, 0).to_socket_addrs()?.map(|addr| addr.ip()).collect();
    addrs.sort();
    addrs.dedup();
    Ok(addrs)
}
