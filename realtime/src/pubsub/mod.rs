//! Topics: what is published to one, all of its subscribers receive.
//!
//! ```
//! use greenwire_realtime::pubsub::{Event, Topics, pattern};
//!
//! let topics = Topics::new();
//! let mut feed = topics.subscribe("news");
//! feed.add(pattern("room.*"));
//!
//! assert_eq!(topics.publish("room.7", "hello"), 1, "one subscription was reached");
//! assert_eq!(topics.publish("weather", "rain"), 0);
//!
//! let Ok(Event::Message(message)) = feed.recv() else { panic!("it is there") };
//! assert_eq!((message.topic(), *message.payload()), ("room.7", "hello"));
//! ```
//!
//! A payload is of any type, the same for all topics of one [`Topics`], and is shared, never copied: an
//! `Arc<str>`, a value of yours, or a `websocket::Prepared`, which is encoded once for all browsers.
//!
//! # Full duplex
//!
//! A [`Subscription`] is an iterator, so the relaying loop of a websocket is a `for`:
//!
//! ```no_run
//! use greenwire_http::{Request, Response};
//! use greenwire_realtime::pubsub::Topics;
//! use greenwire_runtime::thread;
//! use greenwire_websocket as websocket;
//! use std::sync::Arc;
//!
//! fn chat(request: Request, topics: Topics<Arc<str>>) -> Response {
//!     let feed = topics.subscribe("chat");
//!     websocket::upgrade(request, move |ws| {
//!         let (sender, mut receiver) = ws.split();
//!         let relay = thread::spawn(move || {
//!             for message in feed.messages() {
//!                 if sender.send(message.payload()).is_err() { break }
//!             }
//!         });
//!         while let Some(message) = receiver.receive()? {
//!             topics.publish("chat", message.as_text().unwrap_or_default().into());
//!         }
//!         relay.thread().cancel().ok();
//!         Ok(())
//!     })
//! }
//! ```
//!
//! # Who is too slow, and who comes back
//!
//! What a subscriber has not received yet waits in its queue. When that is full,
//! [`SlowSubscriber`] decides: the publisher waits, the oldest goes, or the subscription ends. Whatever is
//! missing is told where it is missing, as [`Event::Missed`].
//!
//! With [`Config::history`], the last messages of each topic are kept. Who comes back says which
//! [`Id`] it saw last ([`Options::after`]) and receives what came since, or first of all that some of it
//! is gone.
//!
//! # Order
//!
//! There is one order of all messages, in which every subscriber receives its own, each of them once,
//! even if it has subscribed to the topic in two ways.

mod config;
mod history;
mod inbox;
mod message;
pub(crate) mod pattern;
#[cfg(feature = "redis")]
mod redis;
mod registry;
mod subscription;
mod topics;

#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisConfig};
pub use config::{Config, Options, SlowSubscriber};
pub use message::{Event, Id, Message, ParseIdError};
pub use subscription::{IntoIter, Iter, Messages, Subscription};
pub use topics::{Filter, Topics, pattern};
