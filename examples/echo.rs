//! A TCP echo server: a std program with `std::` replaced by `greenwire::`.
//!
//! ```sh
//! cargo run --example echo        # then, elsewhere: nc 127.0.0.1 7000
//! ```
//!
//! You should see every line come back, on as many connections at once as you like: each has a green
//! thread of its own.

use greenwire::{net::TcpListener, thread};
use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:7000")?;
    println!("echoing on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let mut stream = stream?;
        thread::spawn(move || {
            let mut buf = [0; 1024];
            while let Ok(n @ 1..) = stream.read(&mut buf) {
                if stream.write_all(&buf[..n]).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
