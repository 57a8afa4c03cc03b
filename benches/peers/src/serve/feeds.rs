//! The list of those who listen to a broadcast, for the servers on tokio.

use ::tokio::sync::Mutex;
use ::tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many messages may wait for one listener before the publisher waits for it.
pub const QUEUE: usize = 1024;

/// A queue for each listener.
#[derive(Debug)]
pub struct Feeds<M>(Mutex<Vec<Sender<M>>>);

impl<M> Default for Feeds<M> {
    fn default() -> Feeds<M> {
        Feeds(Mutex::default())
    }
}

impl<M: Clone> Feeds<M> {
    /// Joins the list.
    pub async fn subscribe(&self) -> Receiver<M> {
        let (sender, receiver) = channel(QUEUE);
        self.0.lock().await.push(sender);
        receiver
    }

    /// Gives the message to all, waits for those that are behind, and drops those that left.
    pub async fn publish(&self, message: &M) {
        let mut feeds = self.0.lock().await;
        let mut left = false;
        for feed in feeds.iter() {
            left |= feed.send(message.clone()).await.is_err();
        }
        if left {
            feeds.retain(|feed| !feed.is_closed());
        }
    }
}
