//! A server that is shut down: nobody is cut off in the middle, and idle clients hold up nothing.

mod common;

use common::{Client, statuses};
use greenwire_http::{Request, Response, Server, upgrade};
use greenwire_runtime::{sync::mpsc, thread};
use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

/// Far more than anything here takes.
const GRACE: Duration = Duration::from_secs(20);

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn idle_connections_close_and_requests_finish() {
    let (asked, is_asked) = mpsc::channel();
    let (answer, may_answer) = mpsc::channel::<()>();
    let (asked, may_answer) = (Mutex::new(asked), Mutex::new(Some(may_answer)));
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (addr, handle) = (server.local_addr().unwrap(), server.handle());
    let serving = thread::spawn(move || {
        server.serve(move |request: Request| {
            if request.uri().path() == "/slow" {
                let may_answer = may_answer.lock().unwrap().take().unwrap();
                asked.lock().unwrap().send(()).unwrap();
                let _ = may_answer.recv();
            }
        })
    });

    let fresh = Client::new(addr);
    let mut idle = Client::new(addr);
    idle.send(GET);
    idle.read_until("\r\n\r\n");
    let mut busy = Client::new(addr);
    busy.send(GET.replace("/ ", "/slow "));
    is_asked.recv().unwrap();

    let stopping = thread::spawn(move || handle.shutdown(GRACE));
    for mut client in [fresh, idle] {
        assert_eq!(client.read_to_close(), "");
    }
    assert!(!stopping.is_finished(), "a request is under way");
    drop(answer);
    let last = busy.read_to_close();
    assert_eq!(statuses(&last), ["204"]);
    assert!(last.contains("connection: close\r\n"), "{last}");
    assert_eq!(stopping.join().unwrap(), 0);
    serving.join().unwrap().unwrap();
}

#[test]
fn upgraded_connections_are_cut_short_after_the_grace() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (addr, handle) = (server.local_addr().unwrap(), server.handle());
    let serving = thread::spawn(move || {
        server.serve(|_: Request| {
            upgrade(Response::default(), |upgraded| {
                let _ = upgraded.into_parts().0.read(&mut [0; 10]);
            })
        })
    });
    let mut client = Client::new(addr);
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
    client.read_until("\r\n\r\n");
    assert_eq!(handle.shutdown(Duration::from_millis(20)), 1);
    assert_eq!(client.read_to_close(), "");
    serving.join().unwrap().unwrap();
}
