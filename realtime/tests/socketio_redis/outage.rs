//! Redis goes, and comes back.

use super::support::redis_server::RedisServer;
use super::support::{on_green, until};
use greenwire_realtime::pubsub::Redis;
use greenwire_realtime::socketio::{Args, Config, Error, Namespace, RedisAdapter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The namespace `/` of a server that notes the greatest number that others have told it.
struct Server {
    root: Namespace,
    told: Arc<AtomicU64>,
    _io: greenwire_realtime::socketio::Server,
}

impl Server {
    fn start(redis: &RedisServer) -> Server {
        let redis = Redis::connect(redis.url()).unwrap();
        let config = Config::default().adapter(RedisAdapter::new(redis));
        let io = config.ack_timeout(Duration::from_secs(20)).server();
        let (root, told) = (io.of("/"), Arc::new(AtomicU64::new(0)));
        let note = told.clone();
        root.on_server_event("number", move |args: Args| {
            let number: u64 = args.get(0)?;
            note.fetch_max(number, Ordering::Relaxed);
            Ok::<_, Error>(number)
        });
        Server {
            root,
            told,
            _io: io,
        }
    }

    fn tell(&self, number: u64) -> Result<(), Error> {
        self.root.server_side_emit("number", number)
    }

    fn was_told(&self, number: u64) -> bool {
        self.told.load(Ordering::Relaxed) >= number
    }
}

#[test]
fn a_lost_connection_comes_back() {
    on_green(|| {
        let Some(mut redis) = RedisServer::start(&[]) else {
            return;
        };
        let (one, two) = (Server::start(&redis), Server::start(&redis));
        until("they meet", || {
            let answers = one.root.server_side_emit_with_ack("number", 1);
            matches!(answers, Ok(answers) if answers.len() == 1)
        });
        redis.kill();
        until("they notice", || {
            one.tell(2).is_err() && two.tell(2).is_err()
        });
        let Err(Error::Cluster(why)) = one.root.emit("news", "x") else {
            panic!("the others cannot be reached");
        };
        assert!(why.contains("Redis"), "{why}");
        redis.restart();
        until("they are together again", || {
            // Either of them may be back before the other.
            let _ = (one.tell(3), two.tell(3));
            one.was_told(3) && two.was_told(3)
        });
        let answers = one.root.server_side_emit_with_ack("number", 4).unwrap();
        assert_eq!(answers.len(), 1);
    });
}

#[test]
fn a_server_that_is_gone_is_not_waited_for() {
    on_green(|| {
        let Some(redis) = RedisServer::start(&[]) else {
            return;
        };
        let (one, two) = (Server::start(&redis), Server::start(&redis));
        let servers = |one: &Server| {
            one.root
                .server_side_emit_with_ack("number", 1)
                .map(|all| all.len())
        };
        until("they meet", || servers(&one).ok() == Some(1));
        drop(two);
        until("one is alone", || servers(&one).ok() == Some(0));
        assert_eq!(one.root.all().fetch_sockets().unwrap().len(), 0);
    });
}
