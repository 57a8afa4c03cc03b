//! The house rules, as tests. They read the sources as text, with std only, and never run anything.
//!
//! A failing rule lists every place that breaks it. The reasons for the rules are in ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

/// The crates, lowest first: each may use only those before it.
const LAYERS: [&str; 7] = [
    "runtime",
    "system",
    "net",
    "http",
    "websocket",
    "realtime",
    "monkey",
];

/// Those that may have unsafe code, where ARCHITECTURE.md says so.
const UNSAFE: [&str; 2] = ["runtime/src/", "monkey/src/"];

const LINE_LIMIT: usize = 600;

/// The set-up commands of the README: all that a newcomer has to type.
const SETUP: [&str; 2] = ["cargo run --release --example relay", "cargo test"];

#[test]
fn crates_use_only_lower_crates() {
    let mut broken = Vec::new();
    for (level, layer) in LAYERS.iter().enumerate() {
        let used = dependencies(&read(&format!("{layer}/Cargo.toml")));
        for upper in &LAYERS[level..] {
            if used.contains(&format!("greenwire-{upper}")) {
                broken.push(format!("{layer}/Cargo.toml names greenwire-{upper}"));
            }
        }
        if used.contains("greenwire") {
            broken.push(format!("{layer}/Cargo.toml names the umbrella crate"));
        }
    }
    report("a crate uses one that is not below it", broken);
}

#[test]
fn http_does_not_know_websockets() {
    let sources = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("http/src/"));
    let broken = sources
        .flat_map(|file| file.lines_of_code(|code| code.to_lowercase().contains("websocket")));
    report(
        "http offers a general upgrade and names no protocol",
        broken,
    );
}

#[test]
fn unsafe_is_forbidden_or_listed() {
    let mut broken = Vec::new();
    for lib in library_roots() {
        let may_be = UNSAFE.iter().any(|folder| lib.path.starts_with(folder));
        let level = if may_be { "deny" } else { "forbid" };
        let wanted = &format!("#![{level}(unsafe_code)]");
        if !lib.text.contains(wanted) {
            broken.push(format!("{} lacks {wanted}", lib.path));
        }
    }

    let listed = bullets(&section("ARCHITECTURE.md", "## Unsafe code"));
    let unsafe_words = ["unsafe {", "unsafe impl", "unsafe fn", "unsafe extern"];
    let found: BTreeSet<String> = rust_files()
        .iter()
        .filter(|file| UNSAFE.iter().any(|folder| file.path.starts_with(folder)))
        .filter(|file| {
            file.code()
                .any(|(_, code)| unsafe_words.iter().any(|word| code.contains(word)))
        })
        .map(|file| file.path.clone())
        .collect();
    for file in found.difference(&listed) {
        broken.push(format!(
            "{file} has unsafe code, ARCHITECTURE.md does not list it"
        ));
    }
    for file in listed.difference(&found) {
        broken.push(format!(
            "ARCHITECTURE.md lists {file}, which has no unsafe code"
        ));
    }
    report(
        "unsafe code must be forbidden, or listed in ARCHITECTURE.md under `## Unsafe code`",
        broken,
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = rust_files()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "));
    report(
        "a file must open with a `//!` line",
        silent.map(|file| file.path),
    );
}

#[test]
fn no_file_is_too_long() {
    let long = rust_files()
        .into_iter()
        .filter(|file| file.text.lines().count() > LINE_LIMIT);
    report(
        "a file is longer than 600 lines: split it by ideas",
        long.map(|file| format!("{}: {} lines", file.path, file.text.lines().count())),
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let words = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore]"),
        concat!("FIX", "ME"),
    ];
    // A test that others run in a process of its own may be passed over, and says so.
    let passed_over = concat!("#[ig", "nore = ");
    let unfinished = |line: &str| {
        words.iter().any(|word| line.contains(word))
            || line.contains(passed_over) && !line.contains("the child process of")
    };
    let broken = rust_files()
        .into_iter()
        .flat_map(|file| file.lines(unfinished));
    report("something is left unfinished", broken);
}

#[test]
fn libraries_do_not_print() {
    let macros = ["println!(", "print!(", "eprint!(", "dbg!("]; // `println!(` is in `eprintln!(` too
    let broken = rust_files()
        .into_iter()
        .filter(File::is_library)
        .flat_map(|file| file.lines_of_code(|code| macros.iter().any(|name| code.contains(name))));
    report("a library prints", broken);
}

#[test]
fn libraries_name_what_they_export() {
    let broken = rust_files()
        .into_iter()
        .filter(File::is_library)
        .flat_map(|file| {
            file.lines_of_code(|code| code.starts_with("pub use") && code.contains("::*"))
        });
    report("a library re-exports by glob", broken);
}

#[test]
fn every_dependency_has_a_reason() {
    let reasons = bullets(&section("ARCHITECTURE.md", "## Dependencies"));
    let mut used = dependencies(&read("Cargo.toml"));
    for layer in LAYERS {
        used.extend(dependencies(&read(&format!("{layer}/Cargo.toml"))));
    }
    used.retain(|name| !name.starts_with("greenwire"));
    let unexplained = used
        .difference(&reasons)
        .map(|name| format!("no reason given for `{name}`"));
    let stale = reasons
        .difference(&used)
        .map(|name| format!("`{name}` is not a dependency"));
    report(
        "ARCHITECTURE.md, `## Dependencies`, must have a line for each",
        unexplained.chain(stale),
    );
}

#[test]
fn the_readme_names_every_example() {
    let readme = read("README.md");
    let names = fs::read_dir(root().join("examples"))
        .expect("examples/ exists")
        .map(|entry| {
            let path = entry.expect("examples/ is readable").path();
            path.file_stem()
                .expect("an example has a name")
                .to_string_lossy()
                .into_owned()
        });
    let missing = names.filter(|name| {
        let mentions = [format!("examples/{name}"), format!("--example {name}")];
        !mentions.iter().any(|mention| readme.contains(mention))
    });
    report(
        "README.md must name every example",
        missing.map(|name| format!("examples/{name}")),
    );
}

#[test]
fn the_readme_has_exactly_two_setup_commands() {
    let readme = read("README.md");
    let mut fences = readme.split("```").skip(1).step_by(2);
    let shell = fences.find(|fence| {
        ["sh\n", "bash\n", "shell\n", "console\n"]
            .iter()
            .any(|name| fence.starts_with(name))
    });
    let commands: Vec<&str> = shell
        .expect("README.md has a ```sh block with the set-up commands")
        .lines()
        .skip(1)
        .map(|line| {
            line.split(" #")
                .next()
                .unwrap_or(line)
                .trim_start_matches("$ ")
                .trim()
        })
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(
        commands, SETUP,
        "the first ```sh block of README.md holds exactly the two set-up commands"
    );
}

/// A source file, by its path from the root, with `/`.
struct File {
    path: String,
    text: String,
}

impl File {
    /// Part of a library, as opposed to tests, examples and benchmarks.
    fn is_library(&self) -> bool {
        self.path.starts_with("src/")
            || LAYERS
                .iter()
                .any(|layer| self.path.starts_with(&format!("{layer}/src/")))
    }

    /// The lines that are not comments, trimmed, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(str::trim).enumerate();
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// Where the lines of code are that `matches`.
    fn lines_of_code(&self, matches: impl Fn(&str) -> bool) -> Vec<String> {
        let hits = self.code().filter(|(_, line)| matches(line));
        hits.map(|(number, line)| format!("{}:{}: {line}", self.path, number + 1))
            .collect()
    }

    /// Where the lines are that `matches`, comments included.
    fn lines(&self, matches: impl Fn(&str) -> bool) -> Vec<String> {
        let hits = self
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| matches(line));
        hits.map(|(number, line)| format!("{}:{}: {}", self.path, number + 1, line.trim()))
            .collect()
    }
}

#[track_caller]
fn report(rule: &str, broken: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{rule}:\n  {}\n", broken.join("\n  "));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the repository, whatever workspace it belongs to.
fn rust_files() -> Vec<File> {
    let mut files = Vec::new();
    collect(root(), &mut files);
    assert!(
        files.len() > LAYERS.len(),
        "found no sources below {}",
        root().display()
    );
    files
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository is readable") {
        let path = entry.expect("a folder entry is readable").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            collect(&path, files);
        } else if name.ends_with(".rs") {
            let path = path
                .strip_prefix(root())
                .expect("collected below the root")
                .to_string_lossy()
                .replace('\\', "/");
            files.push(File {
                text: read(&path),
                path,
            });
        }
    }
}

fn library_roots() -> Vec<File> {
    let crates = LAYERS.iter().map(|layer| format!("{layer}/src/lib.rs"));
    let paths = crates.chain(["src/lib.rs".to_owned()]);
    paths
        .map(|path| File {
            text: read(&path),
            path,
        })
        .collect()
}

/// The names in all dependency tables of a manifest: `[dependencies]`, `[target.….dependencies]`…
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut in_table = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_table = line.ends_with("dependencies]");
        } else if in_table
            && !line.starts_with('#')
            && let Some((key, _)) = line.split_once('=')
        {
            let name = key.split('.').next().unwrap_or(key);
            names.insert(name.trim().to_owned());
        }
    }
    names
}

/// The lines of a Markdown file below `heading`, up to the next heading of that level.
fn section(path: &str, heading: &str) -> String {
    let text = read(path);
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "{path} has no section `{heading}`");
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    lines.join("\n")
}

/// The names that the bullets of a section begin with: "- `name`: why" or "- `one`, `two`: why".
fn bullets(section: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for bullet in section.lines().filter_map(|line| line.strip_prefix("- `")) {
        let mut rest = Some(bullet);
        while let Some((name, tail)) = rest.and_then(|rest| rest.split_once('`')) {
            names.insert(name.to_owned());
            rest = tail.strip_prefix(", `");
        }
    }
    names
}
