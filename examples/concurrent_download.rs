//! gevent's `examples/concurrent_download.py`: several pages at the same time.
//!
//! ```sh
//! cargo run --example concurrent_download -- https://www.rust-lang.org/ https://crates.io/
//! ```
//!
//! You should see all downloads start before the first one ends, and that together they take about
//! as long as the slowest.

use greenwire::http::client::{self, Agent, Error};
use greenwire::thread;
use std::time::{Duration, Instant};

fn main() {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        println!("usage: concurrent_download URL...");
        return;
    }
    let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
    let agent = client::agent_with(config.build());
    let begin = Instant::now();
    let downloads = urls.into_iter().map(|url| {
        let agent = agent.clone();
        thread::spawn(move || {
            println!("starting {url}");
            match download(&agent, &url) {
                Ok(size) => println!("{url}: {size} bytes after {:?}", begin.elapsed()),
                Err(error) => println!("{url}: {error}"),
            }
        })
    });
    // All of them start before the first one is waited for.
    for download in downloads.collect::<Vec<_>>() {
        download.join().expect("a download does not panic");
    }
    println!("all of them took {:?}", begin.elapsed());
}

fn download(agent: &Agent, url: &str) -> Result<usize, Error> {
    let mut response = agent.get(url).call()?;
    response.body_mut().read_to_vec().map(|body| body.len())
}
