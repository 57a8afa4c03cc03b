//! The other servers of a cluster, for one namespace.

use super::channels::{Channels, Purpose};
use super::message::{Answer, Broadcast, Request, Response, What};
use super::pending::Pending;
use super::{Malformed, RedisAdapter, random_id};
use crate::pubsub::{Event, Message, Options, Redis, SlowSubscriber, Subscription, pattern};
use crate::redis::{RedisError, cmd};
use crate::socketio::{Answers, Args, Error, Local, Peers, Room, SocketInfo, Targets};
use greenwire_runtime::sync::{mpsc, select};
use greenwire_runtime::thread::{self, catch_panic};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long answers to a broadcast are passed on to a server that has not said how long it waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers on one Redis.
#[derive(Debug)]
pub(super) struct RedisPeers {
    /// This server, among the others.
    uid: String,
    namespace: Arc<str>,
    channels: Channels,
    redis: Redis,
    answers_apart: bool,
    pending: Pending,
    /// Events for this server, which are handled one after the other.
    server_events: mpsc::Sender<ServerEvent>,
    /// Dropped with this, which ends who listens.
    _life: mpsc::Sender<()>,
}

/// An event for this server, and who waits for the answer.
struct ServerEvent {
    name: String,
    args: Args,
    asker: Option<(String, String)>,
}

impl RedisPeers {
    /// Connects a namespace, and starts to listen to the others.
    pub(super) fn start(adapter: &RedisAdapter, local: Local) -> Result<Arc<RedisPeers>, Error> {
        let namespace = local.name().unwrap_or_else(|| "/".into());
        let (server_events, to_handle) = mpsc::channel();
        let (life, end) = mpsc::channel();
        let peers = Arc::new(RedisPeers {
            uid: random_id()?,
            channels: Channels::new(&adapter.key, &namespace),
            namespace,
            redis: adapter.redis.clone(),
            answers_apart: adapter.answers_apart,
            pending: Pending::default(),
            server_events,
            _life: life,
        });
        let handler = Arc::downgrade(&peers);
        let handles = local.clone();
        spawn(move || handle(&handler, &handles, &to_handle))?;
        let listener = Arc::downgrade(&peers);
        let subscribing = (
            peers.redis.clone(),
            peers.channels.clone(),
            peers.uid.clone(),
        );
        spawn(move || {
            let (redis, channels, uid) = subscribing;
            let feed = subscribe(&redis, &channels, &uid);
            // Its topics end with the last handle, which must not be here.
            drop(redis);
            listen(&listener, &local, &feed, &end);
        })?;
        Ok(peers)
    }

    fn publish(&self, channel: &str, message: &[u8]) -> Result<(), Error> {
        if !self.redis.is_connected() {
            // Else each who publishes would wait until that is found out again.
            return Err(Error::Cluster("Redis is not connected".to_owned()));
        }
        self.redis.publish(channel, message).map_err(in_words)?;
        Ok(())
    }

    fn request(&self, id: Option<&str>, what: What) -> Result<(), Error> {
        let request = Request {
            uid: self.uid.clone(),
            id: id.map(str::to_owned),
            what,
        };
        self.publish(&self.channels.requests(), &request.encode())
    }

    /// The answers of all others to a request; fewer if some did not answer in time.
    fn ask(&self, what: What, limit: Duration) -> Result<(usize, Vec<Answer>), Error> {
        let others = self.server_count()?.saturating_sub(1);
        if others == 0 {
            return Ok((0, Vec::new()));
        }
        let id = random_id()?;
        let asking = self.pending.ask(&id);
        self.request(Some(&id), what)?;
        Ok((others, asking.wait(others, limit)))
    }

    fn broadcast_of(&self, name: &str, args: &Args, to: &Targets) -> Broadcast {
        Broadcast {
            namespace: self.namespace.to_string(),
            name: name.to_owned(),
            args: args.clone(),
            to: to.clone(),
        }
    }
}

impl Peers for RedisPeers {
    fn server_count(&self) -> Result<usize, Error> {
        let mut connection = self.redis.pool().get().map_err(in_words)?;
        let mut numbers = cmd("PUBSUB");
        numbers.arg("NUMSUB").arg(self.channels.requests());
        let (_, count): (String, usize) = numbers.query(&mut *connection).map_err(in_words)?;
        // This one counts before Redis knows of it.
        Ok(count.max(1))
    }

    fn broadcast(&self, name: &str, args: &Args, to: &Targets) -> Result<(), Error> {
        let channel = self.channels.broadcasts(match &to.rooms[..] {
            [room] => Some(room),
            _ => None,
        });
        let broadcast = self.broadcast_of(name, args, to);
        self.publish(&channel, &broadcast.encode(&self.uid))
    }

    fn broadcast_with_ack(
        &self,
        name: &str,
        args: &Args,
        to: &Targets,
        answers: &Answers,
    ) -> Result<(), Error> {
        let id = random_id()?;
        let limit = to.flags.timeout.unwrap_or(PATIENCE);
        self.pending.collect(&id, answers, limit);
        self.request(
            Some(&id),
            What::Broadcast(self.broadcast_of(name, args, to)),
        )
    }

    fn fetch_sockets(&self, to: &Targets, limit: Duration) -> Result<Vec<SocketInfo>, Error> {
        let who = to.clone();
        let (others, answers) = self.ask(What::Fetch { who }, limit)?;
        if answers.len() < others {
            return Err(Error::Timeout(Vec::new()));
        }
        let sockets = answers.into_iter().filter_map(|answer| match answer {
            Answer::Sockets(sockets) => Some(sockets),
            _ => None,
        });
        Ok(sockets.flatten().collect())
    }

    fn join(&self, to: &Targets, rooms: &[Room]) -> Result<(), Error> {
        let (who, rooms) = (to.clone(), rooms.to_vec());
        self.request(None, What::Join { who, rooms })
    }

    fn leave(&self, to: &Targets, rooms: &[Room]) -> Result<(), Error> {
        let (who, rooms) = (to.clone(), rooms.to_vec());
        self.request(None, What::Leave { who, rooms })
    }

    fn disconnect(&self, to: &Targets, close: bool) -> Result<(), Error> {
        let who = to.clone();
        self.request(None, What::Disconnect { who, close })
    }

    fn server_side_emit(&self, name: &str, args: &Args) -> Result<(), Error> {
        let (name, args) = (name.to_owned(), args.clone());
        self.request(None, What::ServerSideEmit { name, args })
    }

    fn server_side_emit_with_ack(
        &self,
        name: &str,
        args: &Args,
        limit: Duration,
    ) -> Result<Vec<Args>, Error> {
        let (name, args) = (name.to_owned(), args.clone());
        let (others, answers) = self.ask(What::ServerSideEmit { name, args }, limit)?;
        let complete = answers.len() >= others;
        let answers = answers.into_iter().filter_map(|answer| match answer {
            Answer::Emitted(args) => Some(args),
            _ => None,
        });
        match complete {
            true => Ok(answers.collect()),
            false => Err(Error::Timeout(answers.collect())),
        }
    }
}

/// Subscribes to all that is said in a namespace, and waits until Redis has confirmed that.
fn subscribe(redis: &Redis, channels: &Channels, uid: &str) -> Subscription<Vec<u8>> {
    // Nothing may be missing; who is too slow for Redis is parted with by Redis.
    let options = Options::default().slow_subscriber(SlowSubscriber::Wait);
    // One subscription, so that a client has joined a room before something for that room is there.
    let mut feed = redis.subscribe_with(pattern(&channels.pattern()), &options);
    feed.add(channels.responses());
    feed.add(channels.responses_to(uid));
    feed.add(channels.requests());
    drop(redis.subscribe(channels.requests()));
    feed
}

/// Does what others say, until the namespace is gone.
fn listen(
    peers: &Weak<RedisPeers>,
    local: &Local,
    feed: &Subscription<Vec<u8>>,
    end: &mpsc::Receiver<()>,
) {
    loop {
        let event = select! {
            recv(feed) -> event => event.ok(),
            recv(end) -> _ => None,
        };
        let (Some(event), Some(peers)) = (event, peers.upgrade()) else {
            return;
        };
        match event {
            Event::Message(message) => peers.take(local, &message),
            Event::Disconnected => log::warn!("socket.io: this server is alone without Redis"),
            Event::Reconnected => log::info!("socket.io: this server is back on Redis"),
            _ => {}
        }
    }
}

/// Handles the events for this server, until the namespace is gone.
fn handle(peers: &Weak<RedisPeers>, local: &Local, events: &mpsc::Receiver<ServerEvent>) {
    for ServerEvent { name, args, asker } in events {
        let handled = catch_panic(AssertUnwindSafe(|| local.server_side_emit(&name, args)));
        match (handled, asker) {
            (Ok(Ok(Some(args))), Some((uid, id))) => {
                if let Some(peers) = peers.upgrade() {
                    peers.respond(&uid, id, Answer::Emitted(args));
                }
            }
            (Ok(Ok(_)), _) => {}
            (Ok(Err(error)), _) => log::error!("socket.io: the handler of {name:?}: {error}"),
            (Err(_), _) => log::error!("socket.io: the handler of {name:?} panicked"),
        }
    }
}

impl RedisPeers {
    fn take(self: &Arc<Self>, local: &Local, message: &Message<Vec<u8>>) {
        let bytes = message.payload();
        let taken = match self.channels.purpose(message.topic()) {
            Some(Purpose::Broadcasts(room)) => self.take_broadcast(local, room, bytes),
            Some(Purpose::Requests) => {
                Request::decode(bytes).map(|request| self.take_request(local, request))
            }
            Some(Purpose::Responses) => {
                Response::decode(bytes).map(|response| self.pending.take(response))
            }
            None => Ok(()),
        };
        if taken.is_err() {
            let topic = message.topic();
            log::debug!("socket.io: a message on {topic} that is none");
        }
    }

    fn take_broadcast(
        &self,
        local: &Local,
        room: Option<&str>,
        bytes: &[u8],
    ) -> Result<(), Malformed> {
        if room.is_some_and(|room| !local.has_room(room)) {
            return Ok(());
        }
        let (uid, broadcast) = Broadcast::decode(bytes)?;
        let Broadcast {
            namespace,
            name,
            args,
            to,
        } = broadcast;
        if uid != self.uid && *namespace == *self.namespace {
            noted(local.broadcast(&name, &args, &to));
        }
        Ok(())
    }

    fn take_request(self: &Arc<Self>, local: &Local, request: Request) {
        let Request { uid, id, what } = request;
        if uid == self.uid {
            return;
        }
        let answer = match what {
            What::Sockets { rooms } => {
                let to = Targets {
                    rooms,
                    ..Targets::default()
                };
                let ids = local.ids(&to);
                Answer::Ids(ids.iter().map(|id| id.to_string()).collect())
            }
            What::AllRooms => {
                // Each client is in a room of its own.
                let own = local.ids(&Targets::default());
                Answer::Rooms(own.into_iter().chain(local.rooms()).collect())
            }
            What::Fetch { who } => Answer::Sockets(local.fetch_sockets(&who)),
            What::Join { who, rooms } => {
                local.join(&who, &rooms);
                Answer::Done
            }
            What::Leave { who, rooms } => {
                local.leave(&who, &rooms);
                Answer::Done
            }
            What::Disconnect { who, close } => {
                // It may wait for those who are slow.
                let local = local.clone();
                noted(spawn(move || local.disconnect(&who, close)));
                Answer::Done
            }
            What::ServerSideEmit { name, args } => {
                let asker = id.map(|id| (uid, id));
                // An error means that nobody handles events any more.
                let _ = self.server_events.send(ServerEvent { name, args, asker });
                return;
            }
            What::Broadcast(broadcast) => return self.ask_here(local, uid, id, broadcast),
        };
        if let Some(id) = id {
            self.respond(&uid, id, answer);
        }
    }

    fn respond(&self, to: &str, id: String, answer: Answer) {
        let channel = match self.answers_apart {
            true => self.channels.responses_to(to),
            false => self.channels.responses(),
        };
        noted(self.publish(&channel, &Response { id, answer }.encode()));
    }

    /// A broadcast whose answers another server waits for.
    fn ask_here(
        self: &Arc<Self>,
        local: &Local,
        uid: String,
        id: Option<String>,
        broadcast: Broadcast,
    ) {
        let Some(id) = id else { return };
        let Broadcast { name, args, to, .. } = broadcast;
        let limit = to.flags.timeout.unwrap_or(PATIENCE);
        let answers = Answers::of_servers(1);
        let (this, counted) = (self.clone(), answers.clone());
        let (asker, request) = (uid.clone(), id.clone());
        let answer = move |args: Args| {
            this.respond(
                &asker,
                request.clone(),
                Answer::Acknowledgement(args.clone()),
            );
            counted.answer(args);
        };
        let Some(asked) = local.broadcast_with_ack(&name, &args, &to, answer) else {
            return;
        };
        let count = asked.count();
        self.respond(&uid, id, Answer::ClientCount(count as u64));
        answers.expect(count);
        if count == 0 {
            return;
        }
        noted(spawn(move || {
            // Whoever answers in time is listened to.
            let _ = answers.wait(limit);
            drop(asked);
        }));
    }
}

fn spawn(f: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let builder = thread::Builder::new().name("socket.io cluster".to_owned());
    let spawned = builder.spawn(f).map(drop);
    spawned.map_err(|error| Error::Cluster(format!("no thread: {error}")))
}

/// Nobody waits for the outcome.
fn noted(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        log::warn!("socket.io: {error}");
    }
}

fn in_words(error: RedisError) -> Error {
    Error::Cluster(format!("Redis: {error}"))
}
