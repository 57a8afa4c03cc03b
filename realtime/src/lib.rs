//! What happens now, to everybody whom it concerns: publish and subscribe.
//!
//! ```
//! use greenwire_realtime::pubsub::Topics;
//! use greenwire_runtime::thread;
//!
//! let topics = Topics::new();
//! let news = topics.subscribe("news");
//! let reader = thread::spawn(move || {
//!     for message in news.messages() {
//!         println!("{}", message.payload());
//!     }
//! });
//! topics.publish("news", "it works");
//! drop(topics); // which ends the subscriptions
//! reader.join().unwrap();
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`pubsub`] | topics, and who is told what is published there; in one process, or through Redis in many |
//! | [`comet`] | messages for browsers: a websocket, server-sent events, long polls; with Shaveet's API |
//! | [`sockjs`] | SockJS: a websocket where there is one, and its like over HTTP elsewhere |
//! | [`socketio`] | Socket.IO 5: events with answers, namespaces, rooms |
//! | [`engineio`] | Engine.IO 4, which Socket.IO goes over |
//! | `redis` | a Redis client; feature `redis` |
//!
//! # Errors
//!
//! A subscription that ends is no error: its iterators end, and `recv` says so as a channel's does. What
//! a subscriber missed, it is told as an [`Event`](pubsub::Event) in the place of what is missing.
//!
//! # Limits
//!
//! All are on by default and documented where they are set: how much waits for a slow subscriber
//! ([`pubsub::Options`]), how much is kept for those who come back ([`pubsub::Config`], [`comet::Config`]).

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod comet;
pub mod engineio;
mod jsonp;
pub mod pubsub;
#[cfg(feature = "redis")]
pub mod redis;
pub mod socketio;
pub mod sockjs;
mod waiters;
