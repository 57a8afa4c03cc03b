//! What `micro` prints for other programs: the same operations for every runtime.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};

fn micro(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_micro"));
    command.args(arguments).output().unwrap()
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = micro(arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().map(serde_json::from_str);
    objects.collect::<Result<_, _>>().expect(&text)
}

#[test]
fn every_operation_is_measured_for_every_runtime() {
    let mut peers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines(&["--json", "--repetitions", "1"]) {
        assert!(line["nanoseconds"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["operations"].as_u64().unwrap() > 0, "{line}");
        let [name, peer] = ["name", "peer"].map(|key| line[key].as_str().unwrap().to_owned());
        assert!(
            peers.entry(name).or_default().insert(peer),
            "{line} came twice"
        );
    }
    let all = [
        "greenwire",
        "may",
        "std threads",
        "tokio",
        "tokio, current_thread",
    ];
    for name in ["switch", "switch, 2 in turn", "switch, 1,000 in turn"] {
        assert_eq!(Vec::from_iter(&peers.remove(name).unwrap()), ["corosensei"]);
    }
    let have_timers = peers
        .remove("a million timers, arm and cancel")
        .expect("it is measured");
    assert_eq!(
        Vec::from_iter(&have_timers),
        ["greenwire", "tokio", "tokio, current_thread"]
    );
    let libraries = [
        "fastwebsockets",
        "greenwire",
        "tokio-websockets",
        "tungstenite",
    ];
    let frames: Vec<_> = peers
        .extract_if(.., |name, _| name.starts_with("websocket"))
        .collect();
    assert_eq!(frames.len(), 5);
    for (name, peers) in frames {
        assert_eq!(Vec::from_iter(&peers), libraries, "{name}");
    }
    assert!(peers.len() >= 9, "{peers:?}");
    for (name, peers) in peers {
        assert_eq!(Vec::from_iter(&peers), all, "{name}");
    }
}

#[test]
fn names_pick_operations() {
    let all = lines(&["--json", "--repetitions", "1", "spawn", "switch, 2"]);
    let names: BTreeSet<&str> = all
        .iter()
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        Vec::from_iter(names),
        ["spawn and join", "switch, 2 in turn"]
    );
}

#[test]
fn wrong_flags_are_refused() {
    for arguments in [
        &["--sure"][..],
        &["--repetitions", "0"],
        &["--repetitions", "many"],
    ] {
        let output = micro(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
