//! Doing what the plan says: connect, warm up, measure, stop.

use crate::broadcast::Broadcast;
use crate::echo::Echo;
use crate::exchange::{Answers, Exchange};
use crate::frames::{self, Messages};
use crate::http::{Responses, request};
use crate::process::Process;
use crate::requests::{Prepared, Requests};
use crate::tally::Tally;
use crate::{Kind, Outcome, Plan, churn, connect, idle};
use greenwire::net::{Shutdown, TcpStream};
use greenwire::thread::{self, JoinHandle};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A response to a pipelined request has about this many bytes.
const RESPONSE: usize = 256;

/// Carries out a plan. `ready` is called when all are connected, and may wait; what it does on
/// [`Kind::Idle`] is all that happens.
///
/// # Errors
/// A connection that could not be made, or a process that could not be watched.
pub fn run(plan: Plan, ready: impl FnOnce()) -> io::Result<Outcome> {
    let plan = Arc::new(plan);
    let tally = Arc::new(Tally::new());
    let begin = Instant::now();
    let crowd = Crowd::gather(&plan)?;
    let connecting = begin.elapsed();
    ready();
    let mut outcome = match crowd {
        Crowd::Idle(streams) => {
            drop(streams);
            Outcome::default()
        }
        crowd => {
            let threads = crowd.start(&plan, &tally);
            let measured = measure(&plan, &tally);
            tally.stop();
            threads.end();
            // Only now those have been counted that never got an answer.
            tally.complete(measured?)
        }
    };
    outcome.connections = plan.connections;
    outcome.connecting_seconds = connecting.as_secs_f64();
    Ok(outcome)
}

/// The warm-up and the measurement, while the connections do their work.
fn measure(plan: &Plan, tally: &Tally) -> io::Result<Outcome> {
    thread::sleep(plan.warm_up());
    tally.measure(true);
    let begin = Sample::take(plan, tally)?;
    thread::sleep(plan.measurement());
    let end = Sample::take(plan, tally)?;
    tally.measure(false);
    Ok(Outcome {
        operations: end.operations - begin.operations,
        seconds: (end.time - begin.time).as_secs_f64(),
        server_cpu_seconds: end.server.saturating_sub(begin.server).as_secs_f64(),
        own_cpu_seconds: end.own.saturating_sub(begin.own).as_secs_f64(),
        ..Outcome::default()
    })
}

/// What is known at one moment.
struct Sample {
    time: Instant,
    operations: u64,
    server: Duration,
    own: Duration,
}

impl Sample {
    fn take(plan: &Plan, tally: &Tally) -> io::Result<Sample> {
        let watched = plan.watch.iter().map(|&id| Process::new(id).cpu_time());
        Ok(Sample {
            time: Instant::now(),
            operations: tally.operations(),
            server: watched.sum::<io::Result<Duration>>()?,
            own: Process::own().cpu_time()?,
        })
    }
}

/// All that are connected.
enum Crowd {
    Exchanges(Vec<Exchange>),
    /// They connect by themselves.
    Churn,
    Idle(Vec<TcpStream>),
    Broadcast {
        publisher: TcpStream,
        followers: Vec<(TcpStream, Vec<u8>)>,
        stalled: Vec<TcpStream>,
    },
}

impl Crowd {
    fn gather(plan: &Arc<Plan>) -> io::Result<Crowd> {
        let count = plan.connections;
        Ok(match plan.kind {
            Kind::TcpEcho | Kind::Http | Kind::WebsocketEcho | Kind::Stall | Kind::SlowHead => {
                let open = opener(plan);
                Crowd::Exchanges(connect::all(plan, count, open)?)
            }
            Kind::Churn => Crowd::Churn,
            Kind::Idle => {
                let open = opener(plan);
                let open = move |plan: &Plan, index| idle::settle(open(plan, index)?);
                Crowd::Idle(connect::all(plan, count, open)?)
            }
            Kind::Broadcast => Crowd::broadcast(plan)?,
        })
    }

    fn broadcast(plan: &Arc<Plan>) -> io::Result<Crowd> {
        let follow = |plan: &Plan, index| {
            let stream = connect::connect(plan, index)?;
            let early = connect::patiently(&stream, |stream| frames::open(stream, "/feed"))?;
            Ok((stream, early))
        };
        let stalled = connect::all(plan, plan.stalled, follow)?;
        let followers = connect::all(plan, plan.connections, follow)?;
        let publisher = connect::connect(plan, 0)?;
        connect::patiently(&publisher, |stream| frames::open(stream, "/publish"))?;
        Ok(Crowd::Broadcast {
            publisher,
            followers,
            stalled: stalled.into_iter().map(|(stream, _)| stream).collect(),
        })
    }

    /// Lets everybody begin.
    fn start(self, plan: &Arc<Plan>, tally: &Arc<Tally>) -> Threads {
        let mut threads = Threads::default();
        match self {
            Crowd::Idle(streams) => threads.streams = streams,
            Crowd::Exchanges(exchanges) => {
                let start = Instant::now();
                for (index, exchange) in exchanges.into_iter().enumerate() {
                    threads.streams.extend(exchange.stream.try_clone());
                    let (plan, tally) = (Arc::clone(plan), Arc::clone(tally));
                    threads.spawn(move || {
                        tally.ended(converse(exchange, &plan, index, start, &tally));
                    });
                }
            }
            Crowd::Churn => {
                for index in 0..plan.connections {
                    let (plan, tally) = (Arc::clone(plan), Arc::clone(tally));
                    threads.spawn(move || tally.ended(churn::client(&plan, index, &tally)));
                }
            }
            Crowd::Broadcast {
                publisher,
                followers,
                stalled,
            } => {
                let broadcast = Arc::new(Broadcast::new(plan.size, followers.len()));
                for (stream, early) in followers {
                    threads.streams.extend(stream.try_clone());
                    let (broadcast, tally) = (Arc::clone(&broadcast), Arc::clone(tally));
                    threads.spawn(move || tally.ended(broadcast.follow(&stream, early, &tally)));
                }
                threads.streams.extend(publisher.try_clone());
                threads.streams.extend(stalled);
                threads.broadcast = Some(Arc::clone(&broadcast));
                let tally = Arc::clone(tally);
                threads.spawn(move || tally.ended(broadcast.publish(&publisher, &tally)));
            }
        }
        threads
    }
}

/// Everybody who is at work.
#[derive(Default)]
struct Threads {
    threads: Vec<JoinHandle<()>>,
    streams: Vec<TcpStream>,
    broadcast: Option<Arc<Broadcast>>,
}

impl Threads {
    fn spawn(&mut self, work: impl FnOnce() + Send + 'static) {
        self.threads.push(thread::spawn(work));
    }

    /// Ends every connection, whatever it waits for. The tally says that this is no failure.
    fn end(self) {
        for stream in &self.streams {
            // It may have ended before.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(broadcast) = &self.broadcast {
            broadcast.wake();
        }
        for thread in self.threads {
            thread.join().expect("a client does not panic");
        }
    }
}

/// What one connection does.
fn converse(
    mut exchange: Exchange,
    plan: &Plan,
    index: usize,
    start: Instant,
    tally: &Tally,
) -> io::Result<()> {
    let turn = index as f64 / plan.connections as f64;
    match plan.rate {
        _ if plan.kind == Kind::Stall => idle::stall(&mut exchange, tally),
        _ if plan.kind == Kind::SlowHead => idle::dawdle(&exchange.stream, turn, tally),
        None => exchange.closed_loop(plan.window, tally),
        Some(rate) => {
            let interval = Duration::from_secs_f64(plan.connections as f64 / rate);
            exchange.open_loop(start + interval.mul_f64(turn), interval, tally)
        }
    }
}

/// How a connection of the plan is opened.
fn opener(plan: &Plan) -> impl Fn(&Plan, usize) -> io::Result<Exchange> + Send + Sync + use<> {
    let messages = match plan.kind {
        Kind::Http | Kind::SlowHead => {
            let request = request(&plan.address.to_string(), &plan.path);
            let length = request.len();
            Messages {
                requests: Prepared::new(request, length),
                answers: [].into(),
                answer_length: RESPONSE,
            }
        }
        Kind::TcpEcho => frames::bare(plan.size),
        _ => frames::binary(plan.size),
    };
    move |plan, index| {
        let stream = connect::connect(plan, index)?;
        let first = index * 7;
        let answers = match plan.kind {
            Kind::Http | Kind::SlowHead => Answers::Http(Responses::new(plan.body.as_deref())),
            Kind::TcpEcho => Answers::Echo(echo(&messages, first)),
            _ => {
                connect::patiently(&stream, |stream| frames::open(stream, &plan.path))?;
                Answers::Echo(echo(&messages, first))
            }
        };
        let requests = Requests::new(messages.requests.clone(), first);
        let burst = plan.window * messages.answer_length;
        Ok(Exchange::new(stream, requests, answers, burst))
    }
}

fn echo(messages: &Messages, first: usize) -> Echo {
    Echo::new(Arc::clone(&messages.answers), messages.answer_length, first)
}
