//! An ordinary HTTP server, on OS threads, that answers each request after 100 ms: `slow_server TOGETHER [CERTIFICATE]`.
//!
//! So many requests are answered together, after the last of them has come. With a file to put its certificate in,
//! it speaks TLS. It says on which port it is.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

const DELAY: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let together = arguments.next().ok_or("how many together?")?.parse()?;
    let config = arguments.next().map(|file| secure(file.as_ref()));
    serve(together, config.transpose()?)
}

/// With a certificate of its own, which is then in the file.
fn secure(file: &Path) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = own.cert.der().clone();
    fs::write(file, &certificate)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
    Ok(Arc::new(config))
}

fn serve(together: usize, config: Option<Arc<ServerConfig>>) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // std's queue holds 128 at most.
    SockRef::from(&listener).listen(4096)?;
    println!("{}", listener.local_addr()?.port());
    let all = Arc::new(Barrier::new(together));
    for stream in listener.incoming() {
        let (stream, config, all) = (stream?, config.clone(), all.clone());
        thread::spawn(move || match config {
            Some(config) => {
                let connection = ServerConnection::new(config).expect("the configuration is whole");
                answer(StreamOwned::new(connection, stream), &all);
            }
            None => answer(stream, &all),
        });
    }
    Ok(())
}

fn answer(stream: impl Read + Write, all: &Barrier) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
    all.wait();
    thread::sleep(DELAY);
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    // Whoever asked may be gone.
    let _ = stream.get_mut().write_all(answer);
    let _ = stream.get_mut().flush();
}
