//! What is measured: the scenarios, each at one size or several.

use crate::metric::Metric::{self, *};
use greenwire_bench_load::{Kind, Plan};
use greenwire_bench_peers::Service;

/// How much time there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One short run: does everything work?
    Quick,
    /// Five runs of the usual sizes.
    Usual,
    /// All sizes, and more runs where peers are close.
    Full,
}

/// One scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What is done, and what is measured.
    pub about: &'static str,
    /// What is shown of it, the most telling first.
    pub metrics: &'static [Metric],
    /// Who does the work.
    pub work: Work,
}

/// Who does the work of a scenario.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A load generator and each peer, at these sizes.
    Load(fn(Effort) -> Vec<Point>),
    /// Our load generator and `wrk`, on the same server.
    Check,
    /// The programs that measure themselves.
    Micro,
}

/// A scenario at one size.
#[derive(Clone, Debug)]
pub struct Point {
    /// What tells it from other points.
    pub label: String,
    /// What the servers do.
    pub service: Service,
    /// What is measured.
    pub load: Plan,
    /// What happens at the same time.
    pub beside: Option<Plan>,
}

const USUAL: &[Metric] = &[
    CpuPerOperation,
    Throughput,
    Latency50,
    Latency99,
    ServerBusy,
    LoadBusy,
];
const WAITING: &[Metric] = &[
    CpuPerOperation,
    Throughput,
    Latency50,
    Latency99,
    ServerBusy,
];
const LATENCY: &[Metric] = &[
    Latency99,
    Latency50,
    Latency999,
    CpuPerOperation,
    ServerBusy,
];
const SLOW: &[Metric] = &[CpuPerOperation, Throughput, Latency50, Latency99, Memory];
const IDLE: &[Metric] = &[MemoryPerConnection, Memory];

/// All scenarios.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "micro",
        title: "Without a network",
        about: "What the runtimes themselves cost: switching, starting, passing on, waiting, locking. \
                Each runtime measures itself, in turn with the others, in one process.",
        metrics: &[Nanoseconds],
        work: Work::Micro,
    },
    Scenario {
        name: "check",
        title: "The instrument",
        about: "The load generator of these benchmarks beside wrk: the same greenwire server, GET \
                /plaintext, 64 connections. If the instrument is right, both see the same server.",
        metrics: &[
            Throughput,
            CpuPerOperation,
            Latency50,
            Latency99,
            ServerBusy,
            LoadBusy,
        ],
        work: Work::Check,
    },
    Scenario {
        name: "tcp-echo",
        title: "TCP echo",
        about: "64 bytes there and back, one message at a time on each connection.",
        metrics: USUAL,
        work: Work::Load(|_| {
            sizes(
                &[64, 1000],
                Service::TcpEcho,
                |plan| plan.size = 64,
                Kind::TcpEcho,
            )
        }),
    },
    Scenario {
        name: "http-plaintext",
        title: "HTTP: plain text",
        about: "GET /plaintext, one request at a time on each connection.",
        metrics: USUAL,
        work: Work::Load(|_| http("/plaintext", HELLO, 1)),
    },
    Scenario {
        name: "http-pipelined",
        title: "HTTP: pipelined",
        about: "GET /plaintext, with up to 16 requests on the way on each connection.",
        metrics: USUAL,
        work: Work::Load(|_| http("/plaintext", HELLO, 16)),
    },
    Scenario {
        name: "http-json",
        title: "HTTP: JSON",
        about: "GET /json: an object is made and serialised for each request.",
        metrics: USUAL,
        work: Work::Load(|_| http("/json", JSON, 1)),
    },
    Scenario {
        name: "http-wait",
        title: "HTTP: waiting",
        about: "GET /wait: the handler waits for 10 ms, as for a database, and answers.",
        metrics: WAITING,
        work: Work::Load(|_| http("/wait", HELLO, 1)),
    },
    Scenario {
        name: "websocket-small",
        title: "Websocket: small messages",
        about: "Messages of 20 bytes there and back, one at a time on each connection.",
        metrics: USUAL,
        work: Work::Load(|effort| match effort {
            Effort::Full => websockets(&[200, 1000], 20, 1),
            _ => websockets(&[200], 20, 1),
        }),
    },
    Scenario {
        name: "websocket-large",
        title: "Websocket: large messages",
        about: "Messages of 16 KiB there and back, one at a time on each connection.",
        metrics: USUAL,
        work: Work::Load(|_| websockets(&[200], 16 * 1024, 1)),
    },
    Scenario {
        name: "websocket-pipelined",
        title: "Websocket: pipelined",
        about: "50 connections with up to 1,000 messages on the way on each: what a server makes of \
                work that is there already.",
        metrics: USUAL,
        work: Work::Load(|_| {
            let mut points = websockets(&[50], 20, 1000);
            points.extend(websockets(&[50], 1024, 1000));
            for (point, size) in points.iter_mut().zip(["20 B", "1 KiB"]) {
                point.label = size.to_owned();
            }
            points
        }),
    },
    Scenario {
        name: "broadcast",
        title: "Broadcast",
        about: "One connection publishes 128 bytes, all others get it; the next message goes when the \
                last has got it. An operation is one delivery, its latency the time since the sending.",
        metrics: USUAL,
        work: Work::Load(|_| {
            let set = |plan: &mut Plan| plan.size = 128;
            sizes(
                &[100, 1000, 10_000],
                Service::Broadcast,
                set,
                Kind::Broadcast,
            )
        }),
    },
    Scenario {
        name: "idle",
        title: "Idle connections",
        about: "Websockets that have echoed one message and do nothing more. Memory is what all processes \
                of the server have in use (VmRSS) and the page tables for it, and what a connection adds \
                to that. Memory in the kernel, for sockets and the stacks of OS threads, is not in it. \
                With 100,000, several processes share the port, because of the limit of descriptors.",
        metrics: IDLE,
        work: Work::Load(|effort| {
            let counts: &[usize] = match effort {
                Effort::Quick => &[1000, 4000],
                Effort::Usual => &[1000, 10_000],
                Effort::Full => &[1000, 10_000, 100_000],
            };
            sizes(counts, Service::WebsocketEcho, |_| {}, Kind::Idle)
        }),
    },
    Scenario {
        name: "churn",
        title: "Short connections",
        about: "Connect, GET /plaintext, close, again and again, 64 clients at a time. The latency \
                includes connecting.",
        metrics: USUAL,
        work: Work::Load(|_| {
            let set = |plan: &mut Plan| {
                plan.path = "/plaintext".to_owned();
                plan.body = Some(HELLO.to_owned());
                plan.sources = 200;
            };
            sizes(&[64], Service::Http, set, Kind::Churn)
        }),
    },
    Scenario {
        name: "slow-readers",
        title: "Slow readers",
        about: "Echo: 64 websockets send 1 KiB at a time, while 16 others send 16 KiB as fast as they \
                can and read nothing. Broadcast: 90 followers read messages of 64 KiB, 10 do not. Who does \
                not read should cost the others nothing, and the server only so much memory.",
        metrics: SLOW,
        work: Work::Load(|_| slow_readers()),
    },
    Scenario {
        name: "slow-heads",
        title: "Slow heads",
        about: "4,000 requests a second on 64 connections, whatever the server does, to GET /plaintext: alone, \
                and while 10,000 other clients send the head of a request, a line a second, which never ends. \
                The difference is what those cost the others.",
        metrics: LATENCY,
        work: Work::Load(|_| slow_heads()),
    },
    Scenario {
        name: "compute",
        title: "One computes, many wait",
        about: "1,000 requests a second, whatever the server does, to GET /wait, which waits 10 ms, and \
                four a second to GET /compute, whose handler computes for 50 ms. What do those feel that \
                only wait? With one worker a computation holds up all that are not OS threads.",
        metrics: LATENCY,
        work: Work::Load(|_| compute()),
    },
];

const HELLO: &str = "Hello, World!";
const JSON: &str = r#"{"message":"Hello, World!"}"#;

/// The scenario of that name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// The same load with different numbers of connections.
fn sizes(counts: &[usize], service: Service, set: impl Fn(&mut Plan), kind: Kind) -> Vec<Point> {
    let point = |&connections: &usize| {
        let mut load = Plan::new(kind);
        load.connections = connections;
        // One source address is enough for 28,000 connections, of which some linger from before.
        load.sources = 4;
        set(&mut load);
        Point {
            label: format!("{connections} connections"),
            service,
            load,
            beside: None,
        }
    };
    counts.iter().map(point).collect()
}

fn http(path: &str, body: &str, window: usize) -> Vec<Point> {
    let set = |plan: &mut Plan| {
        plan.path = path.to_owned();
        plan.body = Some(body.to_owned());
        plan.window = window;
    };
    sizes(&[64, 512], Service::Http, set, Kind::Http)
}

fn websockets(counts: &[usize], size: usize, window: usize) -> Vec<Point> {
    let set = |plan: &mut Plan| {
        plan.size = size;
        plan.window = window;
    };
    sizes(counts, Service::WebsocketEcho, set, Kind::WebsocketEcho)
}

fn slow_readers() -> Vec<Point> {
    let mut echo = websockets(&[64], 1024, 1).remove(0);
    let mut stall = websockets(&[16], 16 * 1024, 1).remove(0).load;
    stall.kind = Kind::Stall;
    // It goes on until it is ended.
    stall.seconds = 3600.0;
    echo.beside = Some(stall);
    echo.label = "echo".to_owned();
    let set = |plan: &mut Plan| {
        plan.size = 64 * 1024;
        plan.stalled = 10;
    };
    let mut broadcast = sizes(&[90], Service::Broadcast, set, Kind::Broadcast).remove(0);
    broadcast.label = "broadcast".to_owned();
    vec![echo, broadcast]
}

fn slow_heads() -> Vec<Point> {
    let mut alone = http("/plaintext", HELLO, 1).remove(0);
    alone.load.rate = Some(4000.0);
    alone.label = "alone".to_owned();
    let mut beside = alone.clone();
    let mut slow = alone.load.clone();
    slow.kind = Kind::SlowHead;
    slow.connections = 10_000;
    slow.rate = None;
    slow.warm_up = 0.0;
    slow.seconds = 3600.0;
    beside.beside = Some(slow);
    beside.label = "10,000 slow heads".to_owned();
    vec![alone, beside]
}

fn compute() -> Vec<Point> {
    let mut points = http("/wait", HELLO, 1);
    points.truncate(1);
    for point in &mut points {
        point.load.rate = Some(1000.0);
        let mut computation = point.load.clone();
        computation.path = "/compute".to_owned();
        computation.connections = 1;
        computation.rate = Some(4.0);
        computation.warm_up = 0.0;
        computation.seconds = 3600.0;
        point.beside = Some(computation);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_can_be_told_to_a_load_generator() {
        for effort in [Effort::Quick, Effort::Usual, Effort::Full] {
            for scenario in SCENARIOS {
                let Work::Load(points) = scenario.work else {
                    continue;
                };
                for point in points(effort) {
                    let words = lexopt::Parser::from_args(point.load.arguments());
                    let plan = Plan::parse(words)
                        .unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
                    assert_eq!(plan, Some(point.load), "{}", scenario.name);
                }
            }
        }
    }

    #[test]
    fn names_and_labels_are_told_apart() {
        for (index, scenario) in SCENARIOS.iter().enumerate() {
            assert!(
                SCENARIOS[..index]
                    .iter()
                    .all(|other| other.name != scenario.name)
            );
            let Work::Load(points) = scenario.work else {
                continue;
            };
            let points = points(Effort::Full);
            for (index, point) in points.iter().enumerate() {
                assert!(
                    points[..index]
                        .iter()
                        .all(|other| other.label != point.label)
                );
            }
        }
    }
}
