//! A crawler of blocking crates: 200 green threads on one worker fetch pages with ureq and count words in Redis,
//! both as they come from crates.io.
//!
//! ```sh
//! redis-server --port 6399 &
//! cargo run --release --manifest-path monkey/tries/Cargo.toml --example patched_crawler -- redis://127.0.0.1:6399/
//! ```
//!
//! You should see that 200 pages, each of which takes its server 100 ms, take little longer together, and which
//! calls have parked meanwhile.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use greenwire_monkey as monkey;
use greenwire_runtime::{Builder, thread};
use redis::Commands;

const PAGES: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(address) = std::env::args().nth(1) else {
        println!("usage: patched_crawler redis://HOST:PORT/");
        return Ok(());
    };
    monkey::patch_all()?;
    Builder::new().workers(1).start()?;
    let (site, client) = (slow_site()?, redis::Client::open(address)?);
    client.get_connection()?.del::<_, ()>("words")?;
    let begin = Instant::now();
    let crawlers: Vec<_> = (0..PAGES)
        .map(|n| {
            let client = client.clone();
            thread::spawn(move || {
                crawl(&format!("http://{site}/{n}"), &client).map_err(|e| e.to_string())
            })
        })
        .collect();
    for crawler in thread::join_all(crawlers) {
        crawler.expect("a crawler does not panic")?;
    }
    let words: usize = client.get_connection()?.get("words")?;
    println!("{PAGES} pages, {words} words, {:?}", begin.elapsed());
    println!("{}", monkey::report());
    Ok(())
}

/// Nothing in here knows of green threads.
fn crawl(url: &str, client: &redis::Client) -> Result<(), Box<dyn Error>> {
    let page = ureq::get(url).call()?.body_mut().read_to_string()?;
    let words = page.split_whitespace().count();
    client.get_connection()?.incr::<_, _, ()>("words", words)?;
    Ok(())
}

/// A site that takes its time, in plain std, too.
fn slow_site() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // std's queue has no room for all of them.
    socket2::SockRef::from(&listener).listen(1024)?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    Ok(addr)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let request = BufReader::new(&stream).lines();
    let _head: Vec<_> = request
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let page = "so many words on this page";
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
}
