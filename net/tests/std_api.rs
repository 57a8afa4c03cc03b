//! Nothing that std's sockets offer is missing here, unless this file gives the reason.
//!
//! `parity/signatures.rs` compiles against std and against greenwire. What has to be in it is read from
//! std's own documentation, which rustup installs as the component `rust-docs`.

#[path = "../../tests/support/std_documentation.rs"]
mod std_documentation;

use std::collections::BTreeSet;
use std::fs;

const PRESENT: &str = include_str!("parity/signatures.rs");

/// The pages of std's documentation.
const PAGES: [(&str, &str); 6] = [
    ("TcpStream", "net"),
    ("TcpListener", "net"),
    ("UdpSocket", "net"),
    ("UnixStream", "os/unix/net"),
    ("UnixListener", "os/unix/net"),
    ("UnixDatagram", "os/unix/net"),
];

/// What is left out, of every type that has it, and why.
const LEFT_OUT: [(&str, &str); 9] = [
    (
        "fn set_only_v6",
        "deprecated since Rust 1.16: it cannot work after `bind`",
    ),
    ("fn only_v6", "deprecated since Rust 1.16"),
    (
        "impl FromRawFd",
        "an `unsafe fn`, which this crate forbids; `OwnedFd::from_raw_fd(fd).into()`",
    ),
    (
        "impl IntoRawFd",
        "fails if there are other handles; `OwnedFd::try_from(socket)?.into_raw_fd()`",
    ),
    (
        "impl From<Self> for OwnedFd",
        "fails likewise; `OwnedFd::try_from(socket)?`",
    ),
    (
        "impl TcpStreamExt",
        "sealed by std; its stable methods are methods of our `TcpStream`",
    ),
    ("impl UnixSocketExt", "sealed by std, and unstable"),
    ("impl Freeze", "private to the compiler"),
    ("impl UnsafeUnpin", "unstable"),
];

#[test]
fn nothing_of_std_is_missing() {
    let Some(docs) = std_documentation::folder() else {
        return;
    };
    let mut missing = BTreeSet::new();
    for (name, folder) in PAGES {
        let page = docs.join(folder).join(format!("struct.{name}.html"));
        let page = fs::read_to_string(page).unwrap();
        let (methods, traits) = api(name, &page);
        assert!(
            methods.len() >= 8 && traits.len() > 5,
            "{name}: is the page understood?"
        );
        missing.extend(
            methods
                .into_iter()
                .filter(|method| !has_method(name, method)),
        );
        missing.extend(
            traits
                .into_iter()
                .filter(|implemented| !has_trait(name, implemented)),
        );
    }
    missing.retain(|item| {
        !LEFT_OUT
            .iter()
            .any(|(left_out, _)| item.ends_with(left_out))
    });
    assert!(
        missing.is_empty(),
        "neither in signatures.rs nor left out: {missing:#?}"
    );
}

/// The stable methods and the implemented traits on a page, as `Type: fn name` and `Type: impl Trait`.
fn api(name: &str, page: &str) -> (Vec<String>, Vec<String>) {
    let (mut methods, mut traits) = (Vec::new(), Vec::new());
    let mut inherent = false;
    for section in page.split("<section id=\"").skip(1) {
        let id = section.split('"').next().unwrap_or_default();
        let (_, rest) = section.split_once("</section>").unwrap_or_default();
        // What is said of an item stands between it and its description.
        let said = rest
            .split("<div class=\"docblock")
            .next()
            .unwrap_or_default();
        let unstable = said.contains("nightly-only");
        if let Some(head) = id.strip_prefix("impl-") {
            inherent = head == name || head == format!("TcpStreamExt-for-{name}");
            let head = decoded(head);
            if let Some((implemented, of)) = head.split_once("-for-") {
                traits.extend(described(name, implemented, of));
            }
        } else if let Some(method) = id.strip_prefix("method.")
            && inherent
            && !unstable
        {
            methods.push(format!("{name}: fn {method}"));
        }
    }
    (methods, traits)
}

/// An implementation for the type itself. Those of Windows and those for every type are nobody's loss.
fn described(name: &str, implemented: &str, of: &str) -> Option<String> {
    if implemented.contains("Socket>") || implemented.ends_with("Socket") || of == "OwnedSocket" {
        return None;
    }
    if of == "OwnedFd" {
        return Some(format!("{name}: impl From<Self> for OwnedFd"));
    }
    let own = of == name || of == format!("&{name}");
    own.then(|| format!("{name}: impl {implemented}"))
}

fn decoded(id: &str) -> String {
    id.replace("%3C", "<")
        .replace("%3E", ">")
        .replace("%26", "&")
}

fn has_method(name: &str, method: &str) -> bool {
    let (_, method) = method.split_once(": fn ").unwrap();
    PRESENT.contains(&format!(" {name}::{method};"))
}

fn has_trait(name: &str, described: &str) -> bool {
    let (_, wanted) = described.split_once(": impl ").unwrap();
    let lines = PRESENT.lines().map(str::trim);
    let mut checks =
        lines.filter(|line| line.contains(&format!("{name}: ")) || is_auto_traits(line));
    checks.any(|line| {
        let (_, traits) = line.split_once(": ").unwrap_or_default();
        let mut traits = traits.trim_end_matches(");").split(", ");
        traits.any(|present| present.split("<Item").next() == Some(wanted))
    })
}

/// The line of `signatures.rs` that holds for all types.
fn is_auto_traits(line: &str) -> bool {
    line.starts_with("has!($Type: ")
}
