//! Nothing that std's modules `fs`, `process` and `io` offer is missing here, unless this file gives the
//! reason.
//!
//! `parity/signatures.rs` compiles against std and against greenwire. What has to be in it is read from
//! std's own documentation, which rustup installs as the component `rust-docs`.

#[path = "../../tests/support/std_documentation.rs"]
mod std_documentation;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PRESENT: &str = include_str!("parity/signatures.rs");

/// Modules, with those of their types that are not std's own here.
const MODULES: [(&str, &[&str]); 3] = [
    (
        "fs",
        &["DirBuilder", "DirEntry", "File", "OpenOptions", "ReadDir"],
    ),
    (
        "process",
        &[
            "Child",
            "ChildStderr",
            "ChildStdin",
            "ChildStdout",
            "Command",
        ],
    ),
    ("io", &["PipeReader", "PipeWriter", "Stdin", "StdinLock"]),
];

/// What is left out, and why.
const LEFT_OUT: [(&str, &str); 29] = [
    ("fs::soft_link", "deprecated since Rust 1.1"),
    ("fs::Dir", UNSTABLE),
    ("fs::set_permissions_nofollow", UNSTABLE),
    ("fs::set_times", UNSTABLE),
    ("fs::set_times_nofollow", UNSTABLE),
    ("process::ExitStatusError", UNSTABLE),
    ("io::const_error", UNSTABLE),
    ("io::BorrowedBuf", UNSTABLE),
    ("io::BorrowedCursor", UNSTABLE),
    ("io::RawOsError", UNSTABLE),
    ("Command::before_exec", "deprecated since Rust 1.37"),
    ("Command::pre_exec", "`unsafe`; by `Command::as_std_mut`"),
    ("Command::creation_flags", WINDOWS),
    ("Command::raw_arg", WINDOWS),
    ("File::seek_read", WINDOWS),
    ("File::seek_write", WINDOWS),
    ("OpenOptions::access_mode", WINDOWS),
    ("OpenOptions::share_mode", WINDOWS),
    ("OpenOptions::custom_flags-2", WINDOWS),
    ("OpenOptions::attributes", WINDOWS),
    ("OpenOptions::security_qos_flags", WINDOWS),
    ("File::read_at", BY_TRAIT),
    ("File::write_at", BY_TRAIT),
    ("File::read_exact_at", BY_TRAIT),
    ("File::write_all_at", BY_TRAIT),
    ("OpenOptions::mode", BY_TRAIT),
    ("OpenOptions::custom_flags", BY_TRAIT),
    ("DirEntry::ino", BY_TRAIT),
    ("DirBuilder::mode", BY_TRAIT),
];

const UNSTABLE: &str = "unstable";
const WINDOWS: &str = "of Windows";
const BY_TRAIT: &str = "a method of std's extension trait, which is implemented";

#[test]
fn nothing_of_std_is_missing() {
    let Some(docs) = std_documentation::folder() else {
        return;
    };
    let mut wanted = BTreeSet::new();
    for (module, types) in MODULES {
        let folder = docs.join(module);
        let items = items(&folder);
        assert!(items.len() > 10, "{module}: is its list understood?");
        wanted.extend(items.into_iter().map(|item| format!("{module}::{item}")));
        for name in types {
            wanted.extend(methods(&folder, name));
        }
    }
    assert!(wanted.contains("Child::wait"), "are the pages understood?");
    let left_out = |item: &String| LEFT_OUT.iter().any(|(left_out, _)| item == left_out);
    let missing: Vec<_> = wanted
        .iter()
        .filter(|item| !is_present(item) && !left_out(item))
        .collect();
    assert!(
        missing.is_empty(),
        "neither in signatures.rs nor left out: {missing:#?}"
    );
}

/// The names in a module: those in quotes within brackets.
fn items(folder: &Path) -> Vec<String> {
    let list = fs::read_to_string(folder.join("sidebar-items1.95.0.js")).unwrap();
    let lists = list.split('[').skip(1);
    let names = lists.flat_map(|rest| rest.split(']').next().unwrap().split(','));
    names
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}

/// The stable methods of a type and those of extension traits, as `Type::name`.
fn methods(folder: &Path, name: &str) -> Vec<String> {
    let page = fs::read_to_string(folder.join(format!("struct.{name}.html"))).unwrap();
    let (mut methods, mut wanted) = (Vec::new(), false);
    for section in page.split("<section id=\"").skip(1) {
        let id = section.split('"').next().unwrap_or_default();
        let (_, rest) = section.split_once("</section>").unwrap_or_default();
        // What is said of an item stands between it and its description.
        let said = rest.split("<div class=\"docblock").next();
        let unstable = said.is_some_and(|said| said.contains("nightly-only"));
        if let Some(head) = id.strip_prefix("impl-") {
            wanted = head == name || head.contains("Ext-for-");
        } else if let Some(method) = id.strip_prefix("method.")
            && wanted
            && !unstable
        {
            methods.push(format!("{name}::{method}"));
        }
    }
    methods
}

/// Functions and methods stand there with their types, everything else is imported.
fn is_present(item: &str) -> bool {
    let (_, name) = item.split_once("::").unwrap();
    let mut imports = PRESENT.lines().filter(|line| line.starts_with("use "));
    let by_name = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == name)
    };
    PRESENT.contains(&format!(" {item};")) || imports.any(by_name)
}
