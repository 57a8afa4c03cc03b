//! Pipes: an end that waits holds up nobody, on one worker.

use greenwire_runtime::{Builder, thread, time};
use greenwire_system::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use greenwire_system::process::{Command, Stdio};
use std::sync::Once;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

/// Tells the story on an OS thread, then on the green threads of a single worker.
fn on_both(story: fn(PipeReader, PipeWriter)) {
    static ONE_WORKER: Once = Once::new();
    ONE_WORKER.call_once(|| Builder::new().workers(1).start().unwrap());
    let tell = move || {
        let (reader, writer) = io::pipe().unwrap();
        story(reader, writer);
    };
    tell();
    let in_time = move || time::timeout(DEADLINE, tell);
    let told = thread::spawn(in_time).join().unwrap();
    assert_eq!(told, Ok(()), "the story hangs on a green thread");
}

#[test]
fn a_reader_waits_for_bytes_and_for_the_last_writer() {
    on_both(|mut reader, mut writer| {
        let mut other = writer.try_clone().unwrap();
        let text = thread::spawn(move || io::read_to_string(&mut reader));
        thread::yield_now();
        writer.write_all(b"one ").unwrap();
        drop(writer);
        thread::yield_now();
        other.write_all(b"two").unwrap();
        drop(other);
        assert_eq!(text.join().unwrap().unwrap(), "one two");
    });
}

#[test]
fn a_writer_waits_for_room() {
    on_both(|mut reader, mut writer| {
        let sent: Vec<u8> = (0..1 << 20).map(|i: u32| i.to_le_bytes()[1]).collect();
        let copy = sent.clone();
        let written = thread::spawn(move || writer.write_all(&copy));
        let mut received = Vec::new();
        reader.read_to_end(&mut received).unwrap();
        written.join().unwrap().unwrap();
        assert!(received == sent, "bytes were lost or changed");
    });
}

#[test]
fn a_writer_is_told_that_nobody_reads() {
    on_both(|reader, mut writer| {
        let full = vec![0; 1 << 20];
        let written = thread::spawn(move || writer.write_all(&full));
        thread::yield_now();
        drop(reader);
        let error = written.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn who_gives_up_leaves_the_bytes_to_others() {
    on_both(|reader, mut writer| {
        let read = || (&reader).read(&mut [0; 9]).unwrap();
        assert_eq!(time::timeout(SHORT, read), Err(time::Elapsed));
        writer.write_all(b"late").unwrap();
        assert_eq!(read(), 4);
    });
}

#[test]
fn clones_get_a_part_each() {
    on_both(|reader, mut writer| {
        let readers: Vec<_> = (0..3)
            .map(|_| reader.try_clone().unwrap())
            .map(|mut reader| thread::spawn(move || reader.read_exact(&mut [0; 1000])))
            .collect();
        for _ in 0..300 {
            writer.write_all(&[0; 10]).unwrap();
        }
        for reader in readers {
            reader.join().unwrap().unwrap();
        }
    });
}

/// A program in C would take "try again" for the end of its input.
#[test]
fn children_get_blocking_ends() {
    on_both(|mut reader, writer| {
        let (to_child, mut input) = io::pipe().unwrap();
        let mut cat = Command::new("cat");
        cat.stdin(to_child).stdout(writer).stderr(Stdio::null());
        let mut child = cat.spawn().unwrap();
        drop(cat);
        let written = thread::spawn(move || input.write_all(&[7; 200_000]));
        let mut echo = Vec::new();
        reader.read_to_end(&mut echo).unwrap();
        written.join().unwrap().unwrap();
        assert_eq!(echo.len(), 200_000);
        assert!(child.wait().unwrap().success());
    });
}
