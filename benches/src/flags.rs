//! The command line.

use crate::cpus::Cpus;
use crate::rounds::Rounds;
use crate::scenarios::{Effort, SCENARIOS, Scenario, named};
use lexopt::prelude::{Long, Short, Value, ValueExt};
use std::path::PathBuf;

/// What the command line says.
#[derive(Debug)]
pub struct Flags {
    /// What is measured.
    pub scenarios: Vec<&'static Scenario>,
    /// How much time there is.
    pub effort: Effort,
    /// Where the results go.
    pub out: PathBuf,
    /// Who takes part; all if empty.
    pub peers: Vec<String>,
    /// Where servers and loads run.
    pub cpus: Cpus,
    /// How often each peer is measured, if not as usual.
    pub runs: Option<usize>,
    /// Only draw the page again, from the results that are there.
    pub redraw: bool,
}

/// What the program says about itself.
pub fn usage() -> String {
    let mut usage = "\
usage: cargo bench-all [scenario...] [option...]

  --quick            one short run of each, in a few minutes: does everything work?
  --full             all sizes, nine runs where a peer is near: about an hour
  --out DIR          where results.json and index.html go (default: benches/target/results)
  --peers A,B        only these, by their names, or the beginnings of them
  --runs N           how often each is measured (default 5)
  --server-cpus N,N  the CPUs of the server (default 1)
  --load-cpus N,N    those of the load generator (default 0)
  --redraw           measure nothing: draw the page from results.json again

scenarios, all by default:
"
    .to_owned();
    for scenario in SCENARIOS {
        usage += &format!("  {:<20} {}\n", scenario.name, scenario.title);
    }
    usage
}

impl Flags {
    /// `None` if the user asks for help.
    ///
    /// # Errors
    /// What is wrong with the command line.
    pub fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        let mut flags = Flags {
            scenarios: Vec::new(),
            effort: Effort::Usual,
            out: concat!(env!("CARGO_MANIFEST_DIR"), "/target/results").into(),
            peers: Vec::new(),
            cpus: Cpus {
                server: vec![1],
                load: vec![0],
            },
            runs: None,
            redraw: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Value(name) => {
                    let name = name.string()?;
                    let scenario =
                        named(&name).ok_or_else(|| format!("no such scenario: {name}"))?;
                    flags.scenarios.push(scenario);
                }
                Long("quick") => flags.effort = Effort::Quick,
                Long("full") => flags.effort = Effort::Full,
                Long("out") => flags.out = arguments.value()?.into(),
                Long("peers") => flags.peers = list(arguments.value()?.string()?),
                Long("runs") => flags.runs = Some(arguments.value()?.parse()?),
                Long("server-cpus") => flags.cpus.server = numbers(arguments.value()?.string()?)?,
                Long("load-cpus") => flags.cpus.load = numbers(arguments.value()?.string()?)?,
                Long("redraw") => flags.redraw = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        if flags.scenarios.is_empty() {
            flags.scenarios = SCENARIOS.iter().collect();
        }
        Ok(Some(flags))
    }

    /// How often and how long each scenario but the idle ones is measured.
    pub fn rounds(&self) -> Rounds {
        let rounds = |count: usize, close, warm_up, seconds| Rounds {
            count: self.runs.unwrap_or(count),
            close: self.runs.unwrap_or(close),
            warm_up,
            seconds,
        };
        match self.effort {
            Effort::Quick => rounds(1, 1, 0.2, 0.5),
            Effort::Usual => rounds(5, 5, 0.3, 0.8),
            Effort::Full => rounds(5, 9, 0.3, 0.8),
        }
    }

    /// Whether a peer takes part.
    pub fn takes(&self, peer: &str) -> bool {
        self.peers.is_empty()
            || self
                .peers
                .iter()
                .any(|wanted| peer.starts_with(wanted.as_str()))
    }
}

fn list(words: String) -> Vec<String> {
    words
        .split(',')
        .map(|word| word.trim().to_owned())
        .collect()
}

fn numbers(words: String) -> Result<Vec<usize>, lexopt::Error> {
    let number = |word: String| {
        word.parse()
            .map_err(|_| format!("not the number of a CPU: {word:?}").into())
    };
    list(words).into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Flags>, lexopt::Error> {
        Flags::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn scenarios_and_options_mix() {
        let words = [
            "idle",
            "--quick",
            "--peers",
            "greenwire,tokio",
            "churn",
            "--load-cpus",
            "0,2",
        ];
        let flags = parse(&words).unwrap().unwrap();
        let names: Vec<&str> = flags
            .scenarios
            .iter()
            .map(|scenario| scenario.name)
            .collect();
        assert_eq!(names, ["idle", "churn"]);
        assert_eq!(flags.cpus.load, [0, 2]);
        assert_eq!(flags.rounds().count, 1);
        assert!(flags.takes("tokio_tungstenite") && !flags.takes("axum"));
    }

    #[test]
    fn everything_is_measured_by_default() {
        let flags = parse(&[]).unwrap().unwrap();
        assert_eq!(flags.scenarios.len(), SCENARIOS.len());
        assert!(flags.takes("axum"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(parse(&["juggling"]).is_err());
        assert!(parse(&["--load-cpus", "x"]).is_err());
        assert!(parse(&["--help"]).unwrap().is_none());
    }
}
