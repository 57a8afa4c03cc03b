//! gevent's `examples/udp_server.py`: answers every datagram.
//!
//! ```sh
//! cargo run --example udp_server          # port 9000; a further argument is another port
//! cargo run --example udp_client -- hello
//! ```
//!
//! You should see each datagram here, and its length at the client. Slow answers would hold up no
//! other one: each has a green thread of its own.

use greenwire::net::UdpSocket;
use greenwire::{io, thread};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("9000".into());
    let socket = UdpSocket::bind(format!("127.0.0.1:{port}"))?;
    println!("receiving datagrams on {}", socket.local_addr()?);
    let mut buf = [0; 65536];
    loop {
        let (len, peer) = socket.recv_from(&mut buf)?;
        let text = String::from_utf8_lossy(&buf[..len]).into_owned();
        let socket = socket.try_clone()?;
        thread::spawn(move || {
            println!("{peer}: got {text:?}");
            // A datagram may be lost, and an answer to nobody is one.
            let _ = socket.send_to(format!("Received {len} bytes").as_bytes(), peer);
        });
    }
}
