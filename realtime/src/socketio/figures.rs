//! What a server tells about itself on `/debug/green`.

use super::rooms::Rooms;
use super::{Namespace, Server};
use greenwire_http::debug::Figures;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many namespaces are told apart: clients may have many made from a pattern.
const MOST_NAMESPACES: usize = 100;

/// Events that have come and gone.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub(crate) fn note_received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    pub(crate) fn note_sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Relaxed);
    }
}

impl Server {
    /// How many clients, sockets and rooms there are, and how many events have come and gone, for
    /// [`/debug/green`](greenwire_http::debug):
    ///
    /// ```
    /// use greenwire_http::{Router, debug};
    /// use greenwire_realtime::socketio::Server;
    ///
    /// let io = Server::new();
    /// let told = io.clone();
    /// let debug = debug::Config::default().figures("socketio", move || told.figures());
    /// let app = Router::new()
    ///     .mount("/socket.io", io)
    ///     .mount("/debug/green", debug.green());
    /// # let _ = app;
    /// ```
    ///
    /// | name | what |
    /// |---|---|
    /// | `clients` | connections, as [`clients`](Server::clients) says |
    /// | `sockets` | clients in each namespace |
    /// | `rooms` | rooms of each namespace, without those that clients have for themselves |
    /// | `events_received` | events from clients |
    /// | `events_sent` | events to clients; a broadcast counts once for each |
    ///
    /// Beyond 100 namespaces the smallest are one, `other`. It is about this server, not about a cluster.
    pub fn figures(&self) -> Figures {
        let mut namespaces = self.namespaces();
        namespaces.sort_by_cached_key(|namespace| std::cmp::Reverse(namespace.len()));
        let traffic = self.traffic();
        Figures::new()
            .gauge("clients", "Connected clients.", self.clients() as u64)
            .gauge_by(
                "sockets",
                "Clients in namespaces.",
                "namespace",
                each(&namespaces, |rooms| rooms.len()),
            )
            .gauge_by(
                "rooms",
                "Rooms that clients have joined.",
                "namespace",
                each(&namespaces, |rooms| rooms.count()),
            )
            .counter(
                "events_received",
                "Events from clients.",
                traffic.received.load(Relaxed),
            )
            .counter(
                "events_sent",
                "Events to clients, each copy of a broadcast counted.",
                traffic.sent.load(Relaxed),
            )
    }
}

/// A number of each namespace; those that are too many are one.
fn each(namespaces: &[Namespace], number: fn(&Rooms) -> usize) -> Vec<(String, u64)> {
    let number = |namespace: &Namespace| number(&namespace.rooms()) as u64;
    let (told, others) = namespaces.split_at(namespaces.len().min(MOST_NAMESPACES));
    let mut numbers: Vec<_> = told
        .iter()
        .map(|namespace| (namespace.name().to_owned(), number(namespace)))
        .collect();
    if !others.is_empty() {
        // No namespace has this name: theirs begin with a slash.
        numbers.push(("other".to_owned(), others.iter().map(number).sum()));
    }
    numbers
}
