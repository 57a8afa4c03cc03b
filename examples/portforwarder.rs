//! gevent's `examples/portforwarder.py`: hands every connection on to another address.
//!
//! ```sh
//! cargo run --example portforwarder -- 127.0.0.1:8000 example.com:80
//! ```
//!
//! You should see at port 8000 what there is at the other address. Each connection is two green threads,
//! one for each direction; when one side has said all, the other one is told so.

use greenwire::net::{Server, Shutdown, TcpStream};
use greenwire::{io, thread};
use std::time::Duration;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(from), Some(to)) = (args.next(), args.next()) else {
        println!("usage: portforwarder FROM_HOST:PORT TO_HOST:PORT");
        return Ok(());
    };
    let server = Server::bind(&*from)?;
    println!("forwarding {} to {to}", server.local_addr()?);
    server.serve(move |client, peer| match forward(client, &to) {
        Ok((sent, received)) => println!("{peer} sent {sent} and received {received} bytes"),
        Err(error) => println!("{peer}: {error}"),
    })
}

fn forward(client: TcpStream, to: &str) -> io::Result<(u64, u64)> {
    let server = TcpStream::connect(to)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(600)))?;
    }
    let (source, target) = (client.try_clone()?, server.try_clone()?);
    let sending = thread::spawn(move || pump(&source, &target));
    let received = pump(&server, &client)?;
    let sent = sending.join().expect("a pump does not panic")?;
    Ok((sent, received))
}

/// Copies one direction to its end. If that fails, the other one ends, too.
fn pump(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<u64> {
    let copied = io::copy(&mut from, &mut to);
    let how = match copied {
        Ok(_) => Shutdown::Write,
        Err(_) => Shutdown::Both,
    };
    // It fails if the connection is gone already.
    let _ = to.shutdown(how);
    if copied.is_err() {
        let _ = from.shutdown(Shutdown::Both);
    }
    copied
}
