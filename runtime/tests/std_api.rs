//! Nothing that std's threads, locks and channels offer is missing here, unless this file gives the reason.
//!
//! `sync/parity/signatures.rs` compiles against std and against greenwire. What has to be in it is read from
//! std's own documentation, which rustup installs as the component `rust-docs`.

#[path = "../../tests/support/std_documentation.rs"]
mod std_documentation;

use std::fs;

const PRESENT: &str = include_str!("sync/parity/signatures.rs");

/// The folders of std's documentation.
const MODULES: [&str; 3] = ["sync", "sync/mpsc", "thread"];

/// What is left out, and why.
const LEFT_OUT: [(&str, &str); 11] = [
    ("Arc", "std's own is used"),
    ("Weak", "std's own is used"),
    ("PoisonError", "std's own is used"),
    ("Condvar::wait_timeout_ms", "deprecated since Rust 1.6"),
    ("thread::park_timeout_ms", "deprecated since Rust 1.6"),
    ("thread::sleep_ms", "deprecated since Rust 1.6"),
    (
        "Builder::spawn_unchecked",
        "an `unsafe fn`; `scope` is its safe form",
    ),
    (
        "JoinHandle: JoinHandleExt",
        "a green thread has no `pthread_t`",
    ),
    ("RecvError", "std's own is used"),
    ("SendError", "std's own is used"),
    ("LocalKey", "that of `green_local!`: see `tests/local.rs`"),
];

/// What only the compiler may name, what is not stable, and what is Windows's.
const IGNORED: [&str; 8] = [
    "Drop",
    "Freeze",
    "UnsafeUnpin",
    "Receiver",
    "StructuralPartialEq",
    "AsHandle",
    "AsRawHandle",
    "IntoRawHandle",
];

#[test]
fn nothing_of_std_is_missing() {
    let Some(docs) = std_documentation::folder() else {
        return;
    };
    let (mut missing, mut found) = (Vec::new(), 0);
    for module in MODULES {
        for entry in fs::read_dir(docs.join(module)).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let items = items(module, &file, || fs::read_to_string(&path).unwrap());
            found += items.len();
            missing.extend(items.into_iter().filter(|item| !is_present(item)));
        }
    }
    missing.retain(|item| !is_left_out(item));
    assert!(found > 150, "{found} items: are the pages understood?");
    assert!(
        missing.is_empty(),
        "neither in signatures.rs nor left out: {missing:#?}"
    );
}

/// What a page documents, if it is stable: `module::function`, `Type::method` or `Type: Trait`.
fn items(module: &str, file: &str, page: impl FnOnce() -> String) -> Vec<String> {
    let mut parts = file.split('.');
    let (kind, name) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if kind != "fn" && kind != "struct" {
        return Vec::new();
    }
    let page = page();
    let head = page.split("docblock").next().unwrap_or_default();
    if head.contains("nightly-only") {
        return Vec::new();
    }
    match kind {
        "fn" => vec![format!(
            "{}::{name}",
            module.rsplit('/').next().unwrap_or_default()
        )],
        _ => members(name, &page),
    }
}

fn members(name: &str, page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inherent = false;
    for section in page.split("<section id=\"").skip(1) {
        let id = section.split('"').next().unwrap_or_default();
        let (declared, rest) = section.split_once("</section>").unwrap_or_default();
        let said = rest
            .split("<div class=\"docblock")
            .next()
            .unwrap_or_default();
        if let Some(head) = id.strip_prefix("impl-") {
            let implemented = head.split_once("-for-");
            inherent = implemented.is_none();
            let (implemented, of) = implemented.unwrap_or_default();
            if is_own(implemented, of, name) && !declared.contains('!') {
                found.push(format!("{name}: {implemented}"));
            }
        } else if let Some(method) = id.strip_prefix("method.")
            && inherent
            && !said.contains("nightly-only")
        {
            found.push(format!("{name}::{method}"));
        }
    }
    found
}

/// Not one for every type, nor of a kind that is not checked.
fn is_own(implemented: &str, of: &str, name: &str) -> bool {
    of.trim_start_matches("%26").starts_with(name)
        && !IGNORED.contains(&implemented)
        && !implemented.contains("%3C")
}

fn is_present(item: &str) -> bool {
    let text = PRESENT.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((name, implemented)) = item.split_once(": ") {
        return is_implemented(&text, name, implemented);
    }
    let (owner, function) = item.split_once("::").unwrap_or_default();
    let mut places = text
        .match_indices(owner)
        .map(|(at, _)| &text[at + owner.len()..]);
    places.any(|rest| {
        let rest = rest
            .strip_prefix("::<u8>")
            .or(rest.strip_prefix("::<'static, u8>"))
            .unwrap_or(rest);
        let after = rest
            .strip_prefix("::")
            .and_then(|rest| rest.strip_prefix(function));
        after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

fn is_implemented(text: &str, name: &str, implemented: &str) -> bool {
    let mut checks = text
        .split("has!(")
        .flat_map(|check| check.split_once(';').map(|(head, _)| head));
    let named = |head: &str| {
        let (of, traits) = head.split_once(": ")?;
        let of = of
            .rsplit("::")
            .next()
            .unwrap_or(of)
            .trim_start_matches("&'static ");
        let of = of.split('<').next().unwrap_or(of);
        Some(of == name && traits.split(", ").any(|t| t == implemented))
    };
    checks.any(|head| named(head) == Some(true)) || has_auto_trait(text, name, implemented)
}

fn has_auto_trait(text: &str, name: &str, implemented: &str) -> bool {
    const AUTO: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
    let mut lists = text
        .split("auto_traits!(")
        .skip(1)
        .filter_map(|rest| rest.split_once(");"));
    AUTO.contains(&implemented)
        && lists.any(|(list, _)| {
            list.split(", ").any(|of| {
                let of = of.rsplit("::").next().unwrap_or(of);
                of.split('<').next() == Some(name)
            })
        })
}

fn is_left_out(item: &str) -> bool {
    let owner = item.split(':').next().unwrap_or_default();
    LEFT_OUT
        .iter()
        .any(|(left_out, _)| *left_out == item || *left_out == owner)
}
