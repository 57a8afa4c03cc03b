//! Standard input: whoever reads it holds up nobody.

use greenwire_runtime::{Builder, sync::mpsc, thread, time};
use greenwire_system::io::{self, Read};
use greenwire_system::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

#[test]
#[ignore = "the child process of the tests below"]
fn reader() {
    Builder::new().workers(1).start().unwrap();
    let first = thread::spawn(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        line
    });
    // On the one worker this runs only if the reader parks.
    thread::spawn(|| println!("others run")).join().unwrap();
    println!("first: {:?}", first.join().unwrap());

    // Who gives up leaves what comes later to others, on whatever kind of thread.
    let patience = Duration::from_millis(20);
    let reads = |limit| time::timeout(limit, || io::stdin().read(&mut [0; 10]).unwrap());
    assert_eq!(
        thread::spawn(move || reads(patience)).join().unwrap(),
        Err(time::Elapsed)
    );
    assert_eq!(reads(patience), Err(time::Elapsed));
    println!("nothing more");

    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lines() {
            sender.send(line.unwrap()).unwrap();
        }
    });
    println!("rest: {:?}", lines.iter().collect::<Vec<_>>());
    assert_eq!(io::stdin().read(&mut [0]).unwrap(), 0);
}

fn start() -> (Child, ChildStdin, impl FnMut(&str) -> String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "reader", "--nocapture"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::<ChildStdout>::new(child.stdout.take().unwrap()).lines();
    let line_with = move |what: &str| {
        let mut lines = lines.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(what)).expect(what)
    };
    (child, stdin, line_with)
}

#[test]
fn a_pipe() {
    let story = || {
        let (mut child, mut stdin, mut line_with) = start();
        line_with("others run");
        stdin.write_all(b"one\n").unwrap();
        assert_eq!(line_with("first: "), r#"first: "one\n""#);
        line_with("nothing more");
        stdin.write_all(b"two\nthree\n").unwrap();
        drop(stdin);
        assert_eq!(line_with("rest: "), r#"rest: ["two", "three"]"#);
        assert!(child.wait().unwrap().success());
    };
    let story = time::timeout(Duration::from_secs(20), story);
    assert_eq!(story, Ok(()), "the story hangs");
}

#[test]
#[ignore = "the child process of the test below"]
fn reader_of_nothing() {
    let read = || io::stdin().read(&mut [0]).unwrap();
    assert_eq!(read(), 0);
    assert_eq!(thread::spawn(read).join().unwrap(), 0);
}

/// As daemons are started: the number 0 is free, or leads to a terminal that hung up.
#[test]
fn a_standard_input_that_is_closed_is_at_its_end() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" <&-"]);
    shell.arg(std::env::current_exe().unwrap());
    let reader = shell.args(["--ignored", "--exact", "reader_of_nothing"]);
    let limit = Duration::from_secs(20);
    let mut child = reader.stdout(Stdio::piped()).spawn().unwrap();
    let output = child.communicate([], Some(limit)).unwrap();
    assert!(output.status.success(), "{output:?}");
}
