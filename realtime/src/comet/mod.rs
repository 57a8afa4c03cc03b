//! Comet: messages for browsers, over whatever reaches them. The server side of
//! [Shaveet](https://github.com/urielka/shaveet), for its own clients and for modern ones.
//!
//! ```no_run
//! use greenwire_http::{Router, Server, html};
//! use greenwire_realtime::comet::Comet;
//!
//! fn main() -> std::io::Result<()> {
//!     let comet = Comet::new();
//!     let app = Router::new()
//!         .get("/", |_| html(r#"<script src="/comet/static/greenwire-comet.js"></script>"#))
//!         .mount("/comet", comet);
//!     Server::bind("127.0.0.1:8082")?.serve_handler(app)
//! }
//! ```
//!
//! # Concepts
//!
//! * A *client* is a reader with an id and a secret key. The web application creates it, and tells the page both.
//! * A *channel* has messages, numbered from 1. A client gets those of the channels that it is *subscribed* to, from
//!   its subscription on. The latest ten are kept for those who are about to ask.
//! * The web application does all of that, and sends all messages: by the methods of [`Comet`], or from another
//!   process by JSON-RPC. Browsers only read.
//! * A client that reads no more is *collected*: it leaves its channels. When it reads again within a day, it
//!   *comes back*, to its channels and its place in each of them.
//!
//! ```text
//!  web application ──create_client, subscribe, new_message──▶ clients, channels
//!   (methods, or JSON-RPC at /)                                      │ one bell for each reader
//!  browser ◀── websocket, server-sent events, long poll ◀── reader ◀─┘
//! ```
//!
//! # What is served where
//!
//! A [`Comet`] is a handler: mount it where it shall be.
//!
//! | path | what | |
//! |---|---|---|
//! | `/` | JSON-RPC | `POST`, 1.0, 1.1 and 2.0, batches |
//! | `/message_updates` | long poll | `GET` with `client_id`, and `callback` for JSONP; or `POST` of a hello |
//! | `/events` | server-sent events | `GET` with `client_id`, `Last-Event-ID` |
//! | `/websocket` | websocket | the first message is a hello |
//! | `/static/greenwire-comet.js` | the client for browsers | also as `/static/shaveet.js` |
//!
//! A hello is `{"clients": {"ID": "KEY", …}, "cursors": {"CHANNEL": LAST_ID, …}}`: for whom to read, and after which
//! messages. In a query it is `client_id=ID_!!_KEY`, once for each, and `cursors=` with that object. Without a cursor a
//! client goes on where it was last answered; with them, what got lost on the way comes again.
//!
//! Updates are `{"CHANNEL": [[id, "message", "sender"], …], …}`: the answer of a poll, the data of an event, the
//! text of a websocket message. The id of an event is the object of all cursors. Subscribing and leaving are messages
//! as well, `{"type": "subscribe"}` and `{"type": "unsubscribe", "gc": false}` (true: collected), and the channel
//! `admin` tells of new channels.
//!
//! # JSON-RPC
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `create_client` | `client_id` | its key |
//! | `kill_client` | `client_id` | 200 |
//! | `subscribe`, `unsubscribe` | `client_id`, `channel_name` | 1 |
//! | `subscribe_many`, `unsubscribe_many` | `channels`: `{channel: [client_id, …]}` | 200 |
//! | `unsubscribe_all_channel` | `channel_name`, `exclude`: `[client_id, …]` | 200 |
//! | `new_message` | `client_id`, `message`, `channel_name`, `system` | 1 |
//! | `get_channel_clients` | `channel_name` | `[client_id, …]` |
//! | `get_client_channels` | `client_id` | `[channel_name, …]` |
//! | `system.list_methods`, `system.describe` | | what there is |
//!
//! A message that is no string is sent as its JSON. `system` need not be given, and changes nothing.
//! Who may call is for [`Config::allow_ips`] and [`Config::token`] to say. A call with an `Origin` is refused: it comes
//! from a page, which a browser on an allowed machine shows.
//!
//! # Differences from Shaveet
//!
//! * A key is compared before a client comes back, and in constant time. `create_client` for one that was collected
//!   brings it back, with its old key; there, the next poll fails. `kill_client` keeps one that was collected
//!   from coming back, and `unsubscribe` from coming back to a channel; there both are errors, and it comes back.
//! * The callback of JSONP is checked. What is malformed is answered with 400; there with 500.
//! * Clients whose id contains `admin` count like others. Those who are subscribed to the channel `admin` do not.
//! * A poll for a client without channels waits; there it is answered at once, and asked again at once.
//! * Two polls of a client get the same messages. A poll for several clients gives what any of them has not had.
//! * An empty list of addresses lets everybody in only beside a token.
//! * Clients, channels, and the size of messages have limits: see [`Config`].

mod config;
mod error;
mod hub;
mod json;
mod reader;
mod rpc;
mod shared;
mod transport;

pub use config::Config;
pub use error::Error;

use greenwire_http::middleware::Cors;
use greenwire_http::{Handler, IntoResponse, Request, Response, StatusCode};
use shared::Shared;
use std::sync::Arc;
use transport::Transports;

/// A comet server: clients, channels, and the handler that serves them. Clones are the same server.
///
/// ```
/// use greenwire_realtime::comet::Comet;
///
/// # fn main() -> Result<(), greenwire_realtime::comet::Error> {
/// let comet = Comet::new();
/// let key = comet.create_client("ann")?; // tell her page
/// comet.subscribe("ann", "news")?;
/// comet.new_message("editor", "it rains", "news")?;
/// assert_eq!(comet.channel_clients("news")?, ["ann"]);
/// assert!(comet.knows("ann", &key));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Comet {
    shared: Arc<Shared>,
    transports: Arc<Cors<Transports>>,
}

impl Default for Comet {
    fn default() -> Comet {
        Comet::new()
    }
}

/// What a web application does: the methods of the JSON-RPC interface. None of them waits for a client.
impl Comet {
    /// Starts one with the default [`Config`].
    #[must_use]
    pub fn new() -> Comet {
        Config::default().start()
    }

    fn start(config: Config) -> Comet {
        let shared = Shared::start(config);
        let transports = Arc::new(Transports::new(&shared));
        Comet { shared, transports }
    }

    /// Makes a client, unless there is one of this id, and gives its key. One that was collected comes back.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::TooManyClients`], [`Error::NoRandomness`].
    pub fn create_client(&self, client_id: &str) -> Result<String, Error> {
        self.shared
            .with_hub(|hub, now| hub.create_client(client_id, now))
    }

    /// Whether there is a client of this id, alive or collected, with this key. Takes as long for a key that is
    /// nearly right as for any other.
    #[must_use]
    pub fn knows(&self, client_id: &str, key: &str) -> bool {
        self.shared.with_hub(|hub, _| hub.knows(client_id, key))
    }

    /// Removes a client for ever, also one that was collected: it does not come back. Its channels are told that it
    /// was collected; its polls and streams end.
    ///
    /// # Errors
    /// [`Error::UnknownClient`].
    pub fn kill_client(&self, client_id: &str) -> Result<(), Error> {
        self.shared.with_hub(|hub, _| hub.kill_client(client_id))
    }

    /// Subscribes a client to a channel, which is made if there is none. The channel is told, the client included,
    /// also if it was subscribed already.
    ///
    /// # Errors
    /// [`Error::UnknownClient`], [`Error::BadName`], [`Error::TooManyChannels`].
    pub fn subscribe(&self, client_id: &str, channel: &str) -> Result<(), Error> {
        self.shared
            .with_hub(|hub, now| hub.subscribe(client_id, channel, now))
    }

    /// Ends a subscription. The channel is told, also if there was none. A client that was collected will come back
    /// without it; of that the channel was told before.
    ///
    /// # Errors
    /// As [`subscribe`](Comet::subscribe).
    pub fn unsubscribe(&self, client_id: &str, channel: &str) -> Result<(), Error> {
        self.shared
            .with_hub(|hub, now| hub.unsubscribe(client_id, channel, now))
    }

    /// Ends the subscriptions of all whom [`channel_clients`](Comet::channel_clients) names, but for these.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::TooManyChannels`].
    pub fn unsubscribe_all(&self, channel: &str, except: &[&str]) -> Result<(), Error> {
        for client in self.channel_clients(channel)? {
            if !except.contains(&&*client) {
                match self.unsubscribe(&client, channel) {
                    // It went by itself meanwhile.
                    Err(Error::UnknownClient) => {}
                    done => done?,
                }
            }
        }
        Ok(())
    }

    /// Sends a message to all who are subscribed to a channel, which is made if there is none. The client that it
    /// comes from need not exist.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`], [`Error::BadName`], [`Error::TooManyChannels`].
    pub fn new_message(&self, client_id: &str, message: &str, channel: &str) -> Result<(), Error> {
        self.shared
            .with_hub(|hub, now| hub.new_message(client_id, message, channel, now))
    }

    /// Who is subscribed to a channel, and active: new, or reading now, or just before. Without those who are
    /// subscribed to the channel `admin`. Makes the channel if there is none.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::TooManyChannels`].
    pub fn channel_clients(&self, channel: &str) -> Result<Vec<String>, Error> {
        let clients = self
            .shared
            .with_hub(|hub, now| hub.channel_clients(channel, now))?;
        Ok(clients.iter().map(|id| id.to_string()).collect())
    }

    /// The channels that a client is subscribed to.
    ///
    /// # Errors
    /// [`Error::UnknownClient`].
    pub fn client_channels(&self, client_id: &str) -> Result<Vec<String>, Error> {
        let channels = self
            .shared
            .with_hub(|hub, _| hub.client_channels(client_id))?;
        Ok(channels.iter().map(|name| name.to_string()).collect())
    }
}

impl Handler for Comet {
    fn call(&self, request: Request) -> Response {
        let path = request.uri().path();
        if path == "/" {
            return rpc::answer(self, request);
        }
        if Transports::serves(path) {
            return self.transports.call(request);
        }
        match path {
            "/static/greenwire-comet.js" | "/static/shaveet.js" => script(),
            _ => (StatusCode::NOT_FOUND, "Not Found\r\n").into_response(),
        }
    }
}

/// The client for browsers.
fn script() -> Response {
    let headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=3600"),
        // Pages of other sites load it, too.
        ("cross-origin-resource-policy", "cross-origin"),
    ];
    (headers, include_str!("greenwire-comet.js")).into_response()
}
