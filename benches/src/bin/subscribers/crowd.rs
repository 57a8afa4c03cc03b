//! The many subscribers: each a green thread that gets one sample a minute.

use greenwire::sync::mpsc::{Sender, channel};
use greenwire::thread;
use greenwire::websocket::{self, WebSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many connect at the same time.
const BATCH: usize = 64;

const ONCE_A_MINUTE: &str = r#"{"series":["cpu"],"every_ms":60000}"#;

/// Who is connected.
#[derive(Default)]
pub(crate) struct Crowd {
    connected: AtomicUsize,
    /// How many got a sample.
    served: AtomicUsize,
    /// How many connections have ended, for whatever reason.
    ended: AtomicUsize,
}

impl Crowd {
    /// Connects `count` subscribers, or fewer if the server does not take them all; the error is the
    /// first one.
    pub(crate) fn gather(
        url: &str,
        count: usize,
        progress: impl Fn(usize),
    ) -> (Arc<Crowd>, Result<(), websocket::Error>) {
        let crowd = Arc::new(Crowd::default());
        while crowd.connected() < count {
            let batch = BATCH.min(count - crowd.connected());
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
        let mut ws = match subscribe(url, ONCE_A_MINUTE) {
            Ok(ws) => ws,
            Err(error) => return drop(connected.send(Err(error))),
        };
        self.connected.fetch_add(1, Relaxed);
        // Nobody listens any more only if this program ends.
        let _ = connected.send(Ok(()));
        drop(connected);

        if let Ok(Some(_)) = ws.receive() {
            self.served.fetch_add(1, Relaxed);
            while let Ok(Some(_)) = ws.receive() {}
        }
        self.ended.fetch_add(1, Relaxed);
    }
}

/// Connects, waits for the relay's greeting, and asks for samples.
pub(crate) fn subscribe(url: &str, choice: &str) -> Result<WebSocket, websocket::Error> {
    let mut ws = websocket::connect(url)?;
    ws.receive()?;
    ws.send_text(choice)?;
    Ok(ws)
}
