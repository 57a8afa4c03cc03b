//! The many subscribers: each a green thread that gets a sample now and then.

use greenwire::sync::mpsc::{Sender, channel};
use greenwire::thread;
use greenwire::websocket::{self, WebSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How many connect at the same time.
const BATCH: usize = 64;

/// Who is connected.
pub(crate) struct Crowd {
    /// How many there are to be.
    size: usize,
    /// How often each gets a sample. Having connected, they subscribe one after the other over this
    /// time, so that the relay always has some of them to serve.
    every: Duration,
    connected: AtomicUsize,
    /// How many got a sample.
    served: AtomicUsize,
    samples: AtomicUsize,
    /// How many connections have ended, for whatever reason.
    ended: AtomicUsize,
}

impl Crowd {
    /// Connects `size` subscribers, or fewer if the server does not take them all; the error is the
    /// first one.
    pub(crate) fn gather(
        url: &str,
        size: usize,
        every: Duration,
        progress: impl Fn(usize),
    ) -> (Arc<Crowd>, Result<(), websocket::Error>) {
        let crowd = Arc::new(Crowd {
            size,
            every,
            connected: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            samples: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        });
        while crowd.connected() < size {
            let batch = BATCH.min(size - crowd.connected());
            if let Err(error) = crowd.connect(url, batch) {
                return (crowd, Err(error));
            }
            progress(crowd.connected());
        }
        (crowd, Ok(()))
    }

    pub(crate) fn connected(&self) -> usize {
        self.connected.load(Relaxed)
    }

    pub(crate) fn served(&self) -> usize {
        self.served.load(Relaxed)
    }

    /// How many samples they got.
    pub(crate) fn samples(&self) -> usize {
        self.samples.load(Relaxed)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Relaxed)
    }

    /// Returns when all of the batch are connected, or have failed.
    fn connect(self: &Arc<Crowd>, url: &str, batch: usize) -> Result<(), websocket::Error> {
        let (sender, results) = channel();
        for _ in 0..batch {
            let (crowd, url, sender) = (Arc::clone(self), url.to_owned(), sender.clone());
            thread::spawn(move || crowd.subscriber(&url, sender));
        }
        drop(sender);
        // All of them, so that none is still on its way.
        let results: Vec<_> = results.iter().collect();
        results.into_iter().collect()
    }

    /// One subscriber, as long as its connection lives.
    fn subscriber(&self, url: &str, connected: Sender<Result<(), websocket::Error>>) {
        let ws = match connect(url) {
            Ok(ws) => ws,
            Err(error) => return drop(connected.send(Err(error))),
        };
        let number = self.connected.fetch_add(1, Relaxed);
        // Nobody listens any more only if this program ends.
        let _ = connected.send(Ok(()));
        drop(connected);

        // How it ends is counted, whatever the reason.
        let _ = self.follow(ws, number);
        self.ended.fetch_add(1, Relaxed);
    }

    fn follow(&self, mut ws: WebSocket, number: usize) -> Result<(), websocket::Error> {
        thread::sleep(self.every.mul_f64(number as f64 / self.size as f64));
        let every = self.every.as_millis();
        ws.send(format!(r#"{{"series":["cpu"],"every_ms":{every}}}"#))?;
        let mut first = true;
        while ws.receive()?.is_some() {
            self.samples.fetch_add(1, Relaxed);
            self.served.fetch_add(usize::from(first), Relaxed);
            first = false;
        }
        Ok(())
    }
}

/// Connects, and waits for the relay's greeting.
pub(crate) fn connect(url: &str) -> Result<WebSocket, websocket::Error> {
    let mut ws = websocket::connect(url)?;
    ws.receive()?;
    Ok(ws)
}
