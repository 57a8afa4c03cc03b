//! The Redis client, against a real server, and against one that misbehaves.

mod support;

use greenwire_net::{TcpListener, TcpStream};
use greenwire_realtime::redis::{
    Client, Commands, Connection, ConnectionLike, ErrorKind, Pool, RedisResult, Value, cmd, pipe,
};
use greenwire_runtime::{thread, time};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::redis_server::RedisServer;
use support::{DEADLINE, on_both, on_green, until};

const SOON: Duration = Duration::from_millis(50);

fn connect(server: &RedisServer) -> Connection {
    Client::open(server.url()).unwrap().connect().unwrap()
}

#[test]
fn commands_and_pipelines() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let mut redis = connect(&server);
        redis.set::<_, _, ()>("name", "Ann").unwrap();
        assert_eq!(redis.get::<_, String>("name").unwrap(), "Ann");
        assert_eq!(redis.get::<_, Option<String>>("nobody").unwrap(), None);
        let large = vec![7_u8; 3 << 20];
        redis.set::<_, _, ()>("large", &large).unwrap();
        assert!(redis.get::<_, Vec<u8>>("large").unwrap() == large);

        let mut pipeline = pipe();
        (0..1000).for_each(|n| _ = pipeline.rpush("list", n).ignore());
        let (count,): (u32,) = pipeline.llen("list").query(&mut redis).unwrap();
        assert_eq!(count, 1000);
        let list: Vec<u32> = redis.lrange("list", 0, -1).unwrap();
        assert!(list.into_iter().eq(0..1000));

        let pair: (u32, u32) = pipe()
            .atomic()
            .incr("a", 1)
            .incr("a", 1)
            .query(&mut redis)
            .unwrap();
        assert_eq!(pair, (1, 2));
        let scanned: Vec<String> = redis
            .scan_match("na*")
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(scanned, ["name"]);
        assert!(redis.check_connection());
    });
}

#[test]
fn an_error_of_the_server_leaves_the_connection_open() {
    on_both(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let mut redis = connect(&server);
        redis.set::<_, _, ()>("text", "x").unwrap();
        let error = redis.incr::<_, _, u32>("text", 1).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Server(_)), "{error}");
        let mut pipeline = pipe();
        pipeline
            .cmd("SET")
            .arg("a")
            .arg(1)
            .cmd("NONSENSE")
            .cmd("SET")
            .arg("b")
            .arg(2);
        assert!(pipeline.query::<Value>(&mut redis).is_err());
        let aborted = pipeline.atomic().query::<Value>(&mut redis).unwrap_err();
        assert!(aborted.to_string().contains("NONSENSE"), "{aborted}");
        assert_eq!(redis.get::<_, u32>("b").unwrap(), 2, "answers are in step");
        assert!(redis.is_open());
    });
}

#[test]
fn version_three_of_the_protocol() {
    on_both(|| {
        let Some(server) = RedisServer::start(&["--requirepass", "secret"]) else {
            return;
        };
        let url = format!("redis://:secret@{}/?protocol=resp3", server.addr());
        let mut redis = Client::open(url).unwrap().connect().unwrap();
        redis.hset::<_, _, _, ()>("hash", "field", 1.5).unwrap();
        let hash = cmd("HGETALL").arg("hash").query(&mut redis).unwrap();
        assert!(matches!(hash, Value::Map(_)), "{hash:?}");
        // What it pushes is no answer.
        cmd("CLIENT")
            .arg("TRACKING")
            .arg("ON")
            .exec(&mut redis)
            .unwrap();
        assert_eq!(redis.hget::<_, _, f64>("hash", "field").unwrap(), 1.5);
        redis.hset::<_, _, _, ()>("hash", "field", 2.5).unwrap();
        assert_eq!(redis.hget::<_, _, f64>("hash", "field").unwrap(), 2.5);
    });
}

#[test]
fn users_databases_and_unix_sockets() {
    on_both(|| {
        let options = ["--requirepass", "secret", "--unixsocket", "redis.sock"];
        let Some(server) = RedisServer::start(&options) else {
            return;
        };
        let open = |url: &str| Client::open(url).unwrap().connect();
        let base = server.addr();
        let mut redis = open(&format!("redis://default:secret@{base}/3")).unwrap();
        redis.set::<_, _, ()>("where", "three").unwrap();
        assert_eq!(redis.get_db(), 3);
        let mut other = open(&format!("redis://:secret@{base}/")).unwrap();
        assert_eq!(other.get::<_, Option<String>>("where").unwrap(), None);

        let wrong = open(&format!("redis://:wrong@{base}/")).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::AuthenticationFailed);
        let mut nobody = open(&server.url()).unwrap();
        assert_eq!(
            nobody.get::<_, String>("where").unwrap_err().code(),
            Some("NOAUTH")
        );

        let path = server.path("redis.sock");
        let mut local = open(&format!("unix://{}?db=3&pass=secret", path.display())).unwrap();
        assert_eq!(local.get::<_, String>("where").unwrap(), "three");
    });
}

#[test]
fn what_cannot_be_opened_says_why() {
    on_both(|| {
        for nonsense in ["http://localhost/", "", "redis://", "redis://localhost/x"] {
            let error = Client::open(nonsense).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidClientConfig, "{nonsense}");
        }
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = Client::open(format!("redis://{free}/"))
            .unwrap()
            .connect()
            .unwrap_err();
        assert!(error.is_connection_refusal(), "{error}");
    });
}

#[test]
fn who_waits_for_a_job_holds_up_nobody() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let client = Client::open(server.url()).unwrap();
        // A limit that is shorter than the wait does not end it. Other answers come within it.
        let limit = Duration::from_secs(2);
        let client = client.response_timeout(Some(limit));
        let waits: Vec<_> = (0..20)
            .map(|_| client.clone())
            .map(|client| {
                thread::spawn(move || -> RedisResult<(String, u32)> {
                    client.connect()?.blpop("jobs", 0.0)
                })
            })
            .collect();
        let mut redis = client.connect().unwrap();
        let blocked = || -> u32 {
            let info: String = cmd("INFO").arg("clients").query(&mut redis).unwrap();
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("blocked_clients:"));
            line.unwrap().parse().unwrap()
        };
        let mut blocked = blocked;
        until("all wait", || blocked() == 20);
        thread::sleep(limit + SOON);
        redis
            .rpush::<_, _, ()>("jobs", (0..20).collect::<Vec<_>>())
            .unwrap();
        let mut jobs: Vec<_> = waits
            .into_iter()
            .map(|job| job.join().unwrap().unwrap().1)
            .collect();
        jobs.sort_unstable();
        assert!(jobs.into_iter().eq(0..20));
    });
}

#[test]
fn an_answer_that_is_cut_short_closes_the_connection() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let mut redis = connect(&server);
        let late = time::timeout(SOON, || redis.blpop::<_, Option<Value>>("jobs", 0.0));
        assert!(late.is_err());
        assert!(!redis.is_open());
        let error = redis.get::<_, Option<String>>("name").unwrap_err();
        assert!(error.to_string().contains("another one"), "{error}");
    });
}

#[test]
fn a_pool_lends_and_takes_back() {
    on_green(|| {
        let Some(mut server) = RedisServer::start(&[]) else {
            return;
        };
        let pool = Pool::with_size(Client::open(server.url()).unwrap(), 3);
        let most = Arc::new(AtomicUsize::new(0));
        let lent = Arc::new(AtomicUsize::new(0));
        let handlers: Vec<_> = (0..50)
            .map(|_| (pool.clone(), lent.clone(), most.clone()))
            .map(|(pool, lent, most)| {
                thread::spawn(move || {
                    let mut redis = pool.get().unwrap();
                    most.fetch_max(lent.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    redis.incr::<_, _, ()>("visits", 1).unwrap();
                    lent.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        assert!(thread::join_all(handlers).iter().all(Result::is_ok));
        assert!(most.load(Ordering::SeqCst) <= 3);
        let made = |pool: &Pool| -> u32 {
            let info: String = cmd("INFO")
                .arg("stats")
                .query(&mut *pool.get().unwrap())
                .unwrap();
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("total_connections_received:"));
            line.unwrap().parse().unwrap()
        };
        // The one that looked whether the server accepts is among them.
        assert!(made(&pool) <= 4, "they are used again");

        server.kill();
        assert!(pool.get().is_err());
        server.restart();
        let mut redis = pool.get().unwrap();
        redis.set::<_, _, ()>("again", 1).unwrap();
    });
}

#[test]
fn a_pool_does_not_lend_what_is_out_of_step() {
    on_green(|| {
        let Some(server) = RedisServer::start(&[]) else {
            return;
        };
        let pool = Pool::with_size(Client::open(server.url()).unwrap(), 1);
        for _ in 0..3 {
            let waits = thread::spawn({
                let pool = pool.clone();
                move || pool.get()?.blpop::<_, Value>("jobs", 0.0)
            });
            thread::sleep(SOON);
            waits.cancel().unwrap();
            assert!(waits.join().is_err());
            assert!(pool.get().unwrap().check_connection());
        }
    });
}

/// A server that answers one connection with these bytes, and then nothing.
fn answers(bytes: Vec<u8>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::open(format!("redis://{}/", listener.local_addr().unwrap())).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 100]).unwrap() > 0);
        stream.write_all(&bytes).unwrap();
        silent(stream);
    });
    client
}

/// Reads until the other end hangs up.
fn silent(mut stream: TcpStream) {
    while stream.read(&mut [0; 100]).is_ok_and(|count| count > 0) {}
}

#[test]
fn a_silent_server_has_a_limit() {
    on_both(|| {
        let client = answers(Vec::new()).response_timeout(Some(SOON));
        let mut redis = client.connect().unwrap();
        let error = redis.get::<_, Value>("name").unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(
            error.to_string().contains("does not answer in time"),
            "{error}"
        );
        assert!(!redis.is_open());

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://:secret@{}/", listener.local_addr().unwrap());
        let client = Client::open(url).unwrap().connect_timeout(SOON);
        let error = client.connect().unwrap_err();
        assert!(error.is_timeout(), "{error}");
    });
}

#[test]
fn answers_that_are_none() {
    on_both(|| {
        let nested = "*1\r\n".repeat(10_000).into_bytes();
        let deep = [&"*1\r\n".repeat(32).into_bytes()[..], b":1\r\n"].concat();
        for bytes in [
            &b"nonsense\r\n"[..],
            b"*x\r\n",
            b":99999999999999999999\r\n",
            &nested,
        ] {
            let mut redis = answers(bytes.to_vec()).connect().unwrap();
            assert!(redis.get::<_, Value>("name").is_err());
            assert!(!redis.is_open());
        }
        let mut redis = answers(deep).connect().unwrap();
        assert!(redis.get::<_, Value>("name").is_ok());
    });
}

#[test]
fn the_end_of_the_server_is_an_error() {
    on_both(|| {
        let Some(mut server) = RedisServer::start(&[]) else {
            return;
        };
        let mut redis = connect(&server);
        server.kill();
        let error = redis.get::<_, Value>("name").unwrap_err();
        assert!(
            error.is_io_error() || error.is_connection_dropped(),
            "{error:?}"
        );
        let waited = time::timeout(DEADLINE, || redis.get::<_, Value>("name"));
        assert!(waited.unwrap().is_err());
    });
}
