//! What a load generator is to do, as a value and as the words of a command line.

use lexopt::prelude::{Long, Value, ValueExt};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What the connections do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Send bytes and expect them back.
    TcpEcho,
    /// Send requests on connections that stay open.
    Http,
    /// Connect, send one request, and close, again and again.
    Churn,
    /// Send websocket messages and expect them back.
    WebsocketEcho,
    /// One connection publishes, the others follow the feed.
    Broadcast,
    /// Websockets that have echoed one message and do nothing more.
    Idle,
    /// Websockets that send messages, of which they read nothing.
    Stall,
    /// Send the head of a request, a line a second, and never its end.
    SlowHead,
}

const KINDS: [(&str, Kind); 8] = [
    ("tcp-echo", Kind::TcpEcho),
    ("http", Kind::Http),
    ("churn", Kind::Churn),
    ("websocket-echo", Kind::WebsocketEcho),
    ("broadcast", Kind::Broadcast),
    ("idle", Kind::Idle),
    ("stall", Kind::Stall),
    ("slow-head", Kind::SlowHead),
];

/// What a load generator is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the connections do.
    pub kind: Kind,
    /// Where the server is.
    pub address: SocketAddr,
    /// What is asked for, or the path of the websocket.
    pub path: String,
    /// What the body of every response must be.
    pub body: Option<String>,
    /// Bytes of a message.
    pub size: usize,
    /// How many requests of a connection may be without an answer.
    pub window: usize,
    /// How many connections there are.
    pub connections: usize,
    /// How many further connections follow the feed of a broadcast without reading it.
    pub stalled: usize,
    /// Requests a second, of all connections together, whether or not the server keeps up. Without
    /// it, an answer lets the next request go.
    pub rate: Option<f64>,
    /// What is done before the measurement, in seconds.
    pub warm_up: f64,
    /// How long the measurement takes.
    pub seconds: f64,
    /// How many source addresses there are, `127.64+network.0.1` and the next ones. With 0 the system
    /// chooses, which gives 28,000 connections.
    pub sources: u8,
    /// Which addresses these are, so that several load generators use different ones.
    pub network: u8,
    /// The processes of the server, whose CPU time is measured.
    pub watch: Vec<u32>,
    /// Wait for a line on standard input when all are connected.
    pub wait: bool,
}

impl Plan {
    /// One connection, one request at a time, one second.
    pub fn new(kind: Kind) -> Plan {
        Plan {
            kind,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            path: "/".to_owned(),
            body: None,
            size: 20,
            window: 1,
            connections: 1,
            stalled: 0,
            rate: None,
            warm_up: 0.2,
            seconds: 1.0,
            sources: 0,
            network: 0,
            watch: Vec::new(),
            wait: false,
        }
    }

    /// Reads a plan from the words of a command line; `None` if these ask for help.
    ///
    /// # Errors
    /// What is wrong with the command line.
    pub fn parse(mut arguments: lexopt::Parser) -> Result<Option<Plan>, lexopt::Error> {
        let Some(first) = arguments.next()? else {
            return Err("which kind of load?".into());
        };
        let Value(first) = first else {
            return match first {
                Long("help") | lexopt::Arg::Short('h') => Ok(None),
                other => Err(other.unexpected()),
            };
        };
        let named = |(name, _): &&(&str, Kind)| first == *name;
        let Some((_, kind)) = KINDS.iter().find(named) else {
            return Err(format!("no such kind of load: {}", first.display()).into());
        };
        let mut plan = Plan::new(*kind);
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("address") => plan.address = arguments.value()?.parse()?,
                Long("path") => plan.path = arguments.value()?.string()?,
                Long("body") => plan.body = Some(arguments.value()?.string()?),
                Long("size") => plan.size = arguments.value()?.parse()?,
                Long("window") => plan.window = arguments.value()?.parse()?,
                Long("connections") => plan.connections = arguments.value()?.parse()?,
                Long("stalled") => plan.stalled = arguments.value()?.parse()?,
                Long("rate") => plan.rate = Some(arguments.value()?.parse()?),
                Long("warm-up") => plan.warm_up = arguments.value()?.parse()?,
                Long("seconds") => plan.seconds = arguments.value()?.parse()?,
                Long("sources") => plan.sources = arguments.value()?.parse()?,
                Long("network") => plan.network = arguments.value()?.parse()?,
                Long("watch") => plan.watch.push(arguments.value()?.parse()?),
                Long("wait") => plan.wait = true,
                Long("help") | lexopt::Arg::Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        plan.check()?;
        Ok(Some(plan))
    }

    /// The words that [`parse`](Plan::parse) makes this plan of.
    pub fn arguments(&self) -> Vec<String> {
        let default = Plan::new(self.kind);
        let mut words = vec![self.name().to_owned()];
        let mut add = |name: &str, value: String, changed: bool| {
            if changed {
                words.extend([format!("--{name}"), value]);
            }
        };
        add("address", self.address.to_string(), true);
        add("path", self.path.clone(), self.path != default.path);
        if let Some(body) = &self.body {
            add("body", body.clone(), true);
        }
        add("size", self.size.to_string(), self.size != default.size);
        add(
            "window",
            self.window.to_string(),
            self.window != default.window,
        );
        add("connections", self.connections.to_string(), true);
        add("stalled", self.stalled.to_string(), self.stalled != 0);
        if let Some(rate) = self.rate {
            add("rate", rate.to_string(), true);
        }
        add("warm-up", self.warm_up.to_string(), true);
        add("seconds", self.seconds.to_string(), true);
        add("sources", self.sources.to_string(), self.sources != 0);
        add("network", self.network.to_string(), self.network != 0);
        for process in &self.watch {
            add("watch", process.to_string(), true);
        }
        if self.wait {
            words.push("--wait".to_owned());
        }
        words
    }

    /// The word for what the connections do.
    pub fn name(&self) -> &'static str {
        let (name, _) = KINDS
            .iter()
            .find(|(_, kind)| *kind == self.kind)
            .expect("every kind is listed");
        name
    }

    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }

    pub(crate) fn measurement(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn check(&self) -> Result<(), lexopt::Error> {
        let time = |seconds: f64| (0.0..=86_400.0).contains(&seconds);
        let wrong = if !time(self.warm_up) || !time(self.seconds) {
            "times are between no second and a day"
        } else if self.rate.is_some_and(|rate| !(0.001..=1e9).contains(&rate)) {
            "the rate is between 0.001 and a billion a second"
        } else if self.window == 0 || self.size == 0 || self.connections == 0 {
            "window, size and connections begin at 1"
        } else if !(1..=1 << 24).contains(&self.size) {
            "a message has at most 16 MiB"
        } else if self.network > 127 {
            "networks are 0 to 127"
        } else {
            return Ok(());
        };
        Err(wrong.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_the_command_line() {
        let mut plan = Plan::new(Kind::WebsocketEcho);
        plan.address = "127.0.0.1:4711".parse().unwrap();
        plan.body = Some("Hello, World!".to_owned());
        plan.window = 1000;
        plan.connections = 50;
        plan.rate = Some(2.5);
        plan.sources = 9;
        plan.network = 3;
        plan.watch = vec![7, 8];
        plan.wait = true;
        let words = plan.arguments();
        let again = Plan::parse(lexopt::Parser::from_args(words)).unwrap();
        assert_eq!(again, Some(plan));
    }

    #[track_caller]
    fn check_refused(words: &[&str]) {
        assert!(Plan::parse(lexopt::Parser::from_args(words)).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        check_refused(&[]);
        check_refused(&["juggle"]);
        check_refused(&["http", "--window", "0"]);
        check_refused(&["http", "--seconds", "NaN"]);
        check_refused(&["http", "--rate", "-1"]);
    }
}
