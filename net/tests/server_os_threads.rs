//! The same server with a thread per connection. A process of its own: the mode is for all of it.

mod support;

use greenwire_net::{Server, TcpStream};
use greenwire_runtime::{Builder, thread};
use std::io::{Read, Write};
use std::time::Duration;
use support::DEADLINE;

#[test]
fn a_thread_for_each_connection() {
    Builder::new().os_threads(true).start().unwrap();
    for server in [
        Server::bind("127.0.0.1:0").unwrap(),
        Server::bind_each("127.0.0.1:0", 3).unwrap(),
    ] {
        let (addr, handle) = (server.local_addr().unwrap(), server.handle());
        let serving = thread::spawn(|| {
            server.serve(|mut stream, _| {
                assert!(!thread::is_green());
                let mut byte = [0];
                while let Ok(1) = stream.read(&mut byte) {
                    stream.write_all(&byte).unwrap();
                }
            })
        });
        let clients: Vec<_> = (0..20).map(|_| TcpStream::connect(addr).unwrap()).collect();
        for mut client in &clients {
            client.set_read_timeout(Some(DEADLINE)).unwrap();
            client.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        assert_eq!(handle.connections(), 20);
        // They cannot be cancelled, but their streams end.
        assert_eq!(handle.shutdown(Duration::from_millis(10)), 20);
        assert_eq!(handle.connections(), 0);
        serving.join().unwrap().unwrap();
    }
}
