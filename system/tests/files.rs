//! Files: one source against std and against us, and what only we promise.

use greenwire_runtime::{Builder, thread};
use std::sync::Once;
use std::time::{Duration, Instant};

/// The same lines with std's names and with ours.
macro_rules! story {
    ($module:ident, $fs:path, $io:path) => {
        mod $module {
            use std::os::unix::fs::{
                DirBuilderExt, DirEntryExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt,
            };
            use std::path::Path;
            use $fs::{self as fs, DirBuilder, File, OpenOptions};
            use $io::{self as io, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};

            pub(super) fn tell(dir: &Path) -> io::Result<Vec<String>> {
                let mut seen = Vec::new();
                let path = dir.join("file");
                assert!(!fs::exists(&path)?);
                fs::write(&path, "one\ntwo\n")?;
                assert_eq!(fs::read(&path)?, b"one\ntwo\n");
                seen.push(fs::read_to_string(&path)?);
                for line in BufReader::new(File::open(&path)?).lines() {
                    seen.push(line?);
                }

                let mut file = File::options().read(true).append(true).open(&path)?;
                file.write_all(b"three\n")?;
                seen.push(file.seek(SeekFrom::Start(4))?.to_string());
                let mut rest = String::new();
                (&file).read_to_string(&mut rest)?;
                seen.push(rest);
                let mut at = [0; 3];
                file.read_exact_at(&mut at, 4)?;
                assert_eq!(&at, b"two");
                file.set_len(5)?;
                file.sync_all()?;
                seen.push(format!("{:?}", file.metadata()?.len()));
                file.lock()?;
                assert!(File::open(&path)?.try_lock().is_err());
                file.unlock()?;
                file.try_lock_shared().unwrap();

                let mut private = OpenOptions::new();
                private.write(true).create_new(true).mode(0o600);
                let secret = dir.join("secret");
                private.open(&secret)?.write_all_at(b"xyz", 2)?;
                assert_eq!(fs::read(&secret)?, b"\0\0xyz");
                seen.push(format!("{:o}", fs::metadata(&secret)?.mode()));
                let again = private.open(&secret).unwrap_err();
                assert_eq!(again.kind(), ErrorKind::AlreadyExists);

                let deep = dir.join("a/b");
                assert!(fs::create_dir(&deep).is_err());
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&deep)?;
                fs::create_dir_all(&deep)?;
                seen.push(fs::copy(&path, deep.join("copy"))?.to_string());
                fs::hard_link(&path, deep.join("link"))?;
                std::os::unix::fs::symlink(&path, deep.join("symlink"))?;
                assert_eq!(fs::read_link(deep.join("symlink"))?, path);
                assert_eq!(
                    fs::canonicalize(deep.join("symlink"))?,
                    fs::canonicalize(&path)?
                );
                assert!(fs::symlink_metadata(deep.join("symlink"))?.is_symlink());
                fs::rename(&path, dir.join("moved"))?;
                fs::set_permissions(&secret, fs::Permissions::from_mode(0o640))?;
                seen.push(format!("{:o}", fs::metadata(&secret)?.permissions().mode()));

                let mut entries = Vec::new();
                for entry in fs::read_dir(&deep)? {
                    let entry = entry?;
                    assert_eq!(entry.path(), deep.join(entry.file_name()));
                    assert_eq!(entry.ino(), entry.metadata()?.ino());
                    entries.push(format!("{:?} {:?}", entry.file_name(), entry.file_type()?));
                }
                entries.sort();
                seen.append(&mut entries);

                for (name, error) in [
                    ("no such file", File::open(dir.join("none")).unwrap_err()),
                    (
                        "no such folder",
                        fs::read_dir(dir.join("none")).unwrap_err(),
                    ),
                    ("not empty", fs::remove_dir(&deep).unwrap_err()),
                    ("a folder", fs::read(&deep).unwrap_err()),
                    ("read only", File::open(&secret)?.write(b"x").unwrap_err()),
                ] {
                    seen.push(format!("{name}: {error:?}"));
                }
                fs::remove_file(&secret)?;
                fs::remove_dir_all(dir.join("a"))?;
                fs::remove_file(dir.join("moved"))?;
                fs::remove_dir(dir)?;
                Ok(seen)
            }
        }
    };
}

story!(stds, std::fs, std::io);
story!(ours, greenwire_system::fs, greenwire_system::io);

/// A folder that no other test uses.
fn folder(name: &str) -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("greenwire-files-{}-{name}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    dir
}

fn one_worker() {
    static ONE_WORKER: Once = Once::new();
    ONE_WORKER.call_once(|| Builder::new().workers(1).start().unwrap());
}

#[test]
fn the_same_as_std() {
    one_worker();
    let expected = stds::tell(&folder("std")).unwrap();
    assert_eq!(ours::tell(&folder("os")).unwrap(), expected);
    let green = thread::spawn(|| ours::tell(&folder("green")));
    assert_eq!(green.join().unwrap().unwrap(), expected);
}

#[test]
fn large_files_and_folders() {
    use greenwire_system::fs::{self, File};
    use std::io::{Read, Write};

    one_worker();
    let story = || {
        let dir = folder("large");
        let bytes: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut file = File::create_new(dir.join("0")).unwrap();
        file.write_all(&bytes).unwrap();
        let mut again = vec![0; bytes.len()];
        File::open(dir.join("0"))
            .unwrap()
            .read_exact(&mut again)
            .unwrap();
        assert!(again == bytes);
        for n in 1..600 {
            fs::write(dir.join(n.to_string()), []).unwrap();
        }
        let names = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<usize> = names
            .map(|name| name.to_str().unwrap().parse().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, (0..600).collect::<Vec<_>>());
        fs::remove_dir_all(dir).unwrap();
    };
    story();
    thread::spawn(story).join().unwrap();
}

/// A FIFO without a writer: opening it blocks its thread in the kernel.
#[test]
fn a_file_that_waits_holds_up_nobody_and_can_be_given_up() {
    use greenwire_system::{fs, process::Command};
    use std::os::unix::fs::OpenOptionsExt;

    one_worker();
    let dir = folder("fifo");
    let fifo = dir.join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let path = fifo.clone();
    let reader = thread::spawn(move || fs::read_to_string(path));
    let path = fifo.clone();
    // On the one worker this runs only if the reader parks.
    let writer = thread::spawn(move || fs::write(path, "through the pipe"));
    writer.join().unwrap().unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), "through the pipe");

    let path = fifo.clone();
    let given_up = thread::spawn(move || fs::read_to_string(path));
    // The FIFO can be opened so once somebody opens it to read.
    let mut options = std::fs::File::options();
    options.write(true);
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    let begin = Instant::now();
    let writer = loop {
        match options.open(&fifo) {
            Ok(writer) => break writer,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    };
    given_up.cancel().unwrap();
    assert!(given_up.join().is_err());
    // The call that it has left behind ends, too.
    drop(writer);
    fs::remove_dir_all(dir).unwrap();
}
