//! The command: measures greenwire beside its peers, and writes what came of it as a table, as
//! `results.json`, and as a page with pictures.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -- [scenario...] [--quick | --full] [--out DIR]
//! ```
//!
//! `cargo bench-all` is the same. `--help` lists the scenarios.

use greenwire_bench::children::Children;
use greenwire_bench::flags::{Flags, usage};
use greenwire_bench::measure::Bench;
use greenwire_bench::results::{Point, Results, Scenario};
use greenwire_bench::rounds::Rounds;
use greenwire_bench::scenarios::{self, Work};
use greenwire_bench::{check, cpus, machine, micro, page, program, table};
use greenwire_bench_peers::{PEERS, Peer};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

const BAR: &str = "{elapsed_precise} {bar:30} {pos}/{len} {msg}";

fn main() -> ExitCode {
    let flags = Flags::parse(lexopt::Parser::from_env());
    program::run("greenwire-bench", &usage(), flags, run)
}

fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let file = flags.out.join("results.json");
    fs::create_dir_all(&flags.out)?;
    let results = if flags.redraw {
        serde_json::from_str(&fs::read_to_string(&file)?)?
    } else {
        measure(flags, |so_far| keep(so_far, &file))?
    };
    let page = flags.out.join("index.html");
    fs::write(&page, page::draw(&results)?)?;
    println!("\n{} and {}", file.display(), page.display());
    Ok(())
}

fn keep(results: &Results, file: &Path) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(file, serde_json::to_string_pretty(results)?)?)
}

/// Everything that the flags ask for; after an interrupt, what there is. `keep` gets what there is after
/// each scenario, so that an hour's work is not lost with its last minute.
fn measure(
    flags: &Flags,
    keep: impl Fn(&Results) -> Result<(), Box<dyn Error>>,
) -> Result<Results, Box<dyn Error>> {
    let children = Children::default();
    let all = children.clone();
    ctrlc::set_handler(move || all.interrupt())?;
    build();

    let mut results = Results {
        setting: machine::setting(flags),
        ..Results::default()
    };
    for &cpu in flags.cpus.load.iter().chain(&flags.cpus.server) {
        results.noise.push(cpus::noise(cpu)?);
    }
    println!("{}", table::setting(&results));

    let peers: Vec<Peer> = PEERS
        .iter()
        .filter(|peer| flags.takes(peer.name))
        .copied()
        .collect();
    let bench = Bench {
        children,
        cpus: flags.cpus.clone(),
    };
    let bar = ProgressBar::new(steps(flags, &peers));
    bar.set_style(ProgressStyle::with_template(BAR)?);
    for scenario in &flags.scenarios {
        if bench.children.is_interrupted() {
            break;
        }
        let measured = Scenario {
            name: scenario.name.to_owned(),
            title: scenario.title.to_owned(),
            about: scenario.about.to_owned(),
            metrics: scenario.metrics.to_vec(),
            points: points(scenario, flags, &bench, &peers, &bar),
        };
        bar.suspend(|| println!("{}", table::scenario(&measured)));
        results.scenarios.push(measured);
        keep(&results)?;
    }
    bar.finish_and_clear();
    Ok(results)
}

fn points(
    scenario: &scenarios::Scenario,
    flags: &Flags,
    bench: &Bench,
    peers: &[Peer],
    bar: &ProgressBar,
) -> Vec<Point> {
    let rounds = flags.rounds();
    let step = |what: &str, who: &str| {
        bar.set_message(format!("{}, {what}: {who}", scenario.name));
        bar.inc(1);
    };
    match scenario.work {
        Work::Micro => micro::measure(bench, rounds.count, |who| step("alone", who)),
        Work::Check => vec![check::measure(bench, &rounds, |who| {
            step("instrument", who)
        })],
        Work::Load(points) => {
            let metric = scenario.metrics[0];
            let mut results: Vec<Point> = Vec::new();
            for point in points(flags.effort) {
                let (rounds, smaller) = (rounds.of(&point), results.last());
                let step = |who: &str| step(&point.label, who);
                results.push(rounds.measure(bench, peers, &point, metric, smaller, step));
            }
            results
        }
    }
}

/// How many steps the bar has, if no peer needs more rounds.
fn steps(flags: &Flags, peers: &[Peer]) -> u64 {
    let rounds = flags.rounds();
    let steps = |scenario: &&scenarios::Scenario| match scenario.work {
        Work::Micro => rounds.count as u64,
        Work::Check => 2 * rounds.count as u64,
        Work::Load(points) => {
            let steps = |point: &scenarios::Point| -> u64 {
                let rounds: Rounds = rounds.of(point);
                rounds.steps(peers, point.service)
            };
            points(flags.effort).iter().map(steps).sum()
        }
    };
    flags.scenarios.iter().map(steps).sum()
}

/// Builds the load generator, the peers and the micro-benchmarks. What does not compile is missing later,
/// and said to be.
fn build() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--release",
        "--keep-going",
        "--workspace",
        "--exclude",
        "greenwire-bench",
        "--bins",
        "--manifest-path",
        manifest,
    ]);
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("cargo build: {status}; what is missing is left out"),
        Err(error) => eprintln!("cargo: {error}; what is there is measured"),
    }
}
