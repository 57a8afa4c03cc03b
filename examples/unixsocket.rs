//! gevent's `examples/unixsocket_server.py` and `unixsocket_client.py`: a service at a path.
//!
//! ```sh
//! cargo run --example unixsocket -- serve /tmp/shout
//! cargo run --example unixsocket -- ask /tmp/shout hello
//! ```
//!
//! You should see the words come back in capitals. A path says who may come: the permissions of its
//! folder do.

use greenwire::io::{self, Read, Write};
use greenwire::net::{Server, Shutdown};
use greenwire::os::unix::net::UnixStream;
use std::time::Duration;

/// The longest request in bytes.
const LONGEST: u64 = 64 * 1024;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve", path] => serve(path),
        ["ask", path, ref words @ ..] => ask(path, &words.join(" ")),
        _ => {
            println!("usage: unixsocket serve PATH | ask PATH WORDS...");
            Ok(())
        }
    }
}

fn serve(path: &str) -> io::Result<()> {
    let server = Server::bind_unix(path)?;
    println!("shouting at {path}");
    server.serve(|stream, _peer| {
        if let Err(error) = shout(&stream) {
            println!("a client is lost: {error}");
        }
    })
}

fn shout(mut stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut words = String::new();
    stream.take(LONGEST).read_to_string(&mut words)?;
    stream.write_all(words.to_uppercase().as_bytes())
}

fn ask(path: &str, words: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect(path)?;
    stream.write_all(words.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    println!("{}", io::read_to_string(stream)?);
    Ok(())
}
