//! gevent's `examples/echoserver.py`: a line server with a limit of connections and an orderly end.
//!
//! ```sh
//! cargo run --example echoserver          # then, elsewhere: nc 127.0.0.1 16000
//! cargo run --example echoserver -- 0     # on a free port
//! ```
//!
//! You should see each line come back until you type `quit`. Press Enter here to stop: clients
//! that are connected have ten seconds to finish.

use greenwire::io::{self, BufRead, BufReader, Write};
use greenwire::net::{Server, TcpStream};
use greenwire::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("16000".into());
    let server = Server::bind(format!("127.0.0.1:{port}"))?.max_connections(10_000);
    println!("echoing on {}", server.local_addr()?);

    let handle = server.handle();
    let stopper = thread::spawn(move || {
        // At the end of the input there is nobody who could press a key.
        if io::stdin().read_line(&mut String::new()).unwrap_or(0) > 0 {
            let cut_short = handle.shutdown(Duration::from_secs(10));
            println!("stopped; {cut_short} connections were cut short");
        }
    });
    server.serve(|stream, peer| {
        println!("{peer} connected");
        match echo(&stream) {
            Ok(()) => println!("{peer} has left"),
            Err(error) => println!("{peer} is lost: {error}"),
        }
    })?;
    stopper.join().map_err(|_| io::Error::other("cannot stop"))
}

fn echo(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"Welcome to the echo server! Type quit to exit.\r\n")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.trim().eq_ignore_ascii_case("quit") {
            break;
        }
        stream.write_all(format!("{line}\r\n").as_bytes())?;
    }
    Ok(())
}
