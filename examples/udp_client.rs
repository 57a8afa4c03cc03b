//! gevent's `examples/udp_client.py`: sends a datagram and waits for the answer.
//!
//! ```sh
//! cargo run --example udp_client -- hello                    # to port 9000
//! cargo run --example udp_client -- hello 127.0.0.1:9001
//! ```
//!
//! You should see how many bytes the server has received. Without a server there is an error at once,
//! and with one that does not answer after a second.

use greenwire::io;
use greenwire::net::UdpSocket;
use std::time::Duration;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let message = args.next().unwrap_or("hello".into());
    let server = args.next().unwrap_or("127.0.0.1:9000".into());
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(&*server)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    println!("sending {} bytes to {server}", message.len());
    socket.send(message.as_bytes())?;
    let mut answer = [0; 8192];
    let len = socket.recv(&mut answer)?;
    println!("{server}: {}", String::from_utf8_lossy(&answer[..len]));
    Ok(())
}
