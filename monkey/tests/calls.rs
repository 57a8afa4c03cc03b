//! Each kind of call that waits, on one worker: another green thread has to run for it to end.

mod support;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use greenwire_monkey as monkey;
use support::{green, on_one_worker, parked, spawn_green};

const SOON: Duration = Duration::from_millis(20);

/// Runs `wait` on a green thread and `end`, which ends its wait, on another one; both must get through.
fn ends<T: Send + 'static>(
    wait: impl FnOnce() -> T + Send + 'static,
    end: impl FnOnce() + Send + 'static,
) -> T {
    on_one_worker();
    let waits = spawn_green(wait);
    spawn_green(|| {
        std::thread::sleep(SOON);
        end();
    })
    .join();
    waits.join()
}

#[test]
fn pipes() {
    let (mut reader, mut writer) = io::pipe().unwrap();
    let read = ends(
        move || reader.read(&mut [0; 9]).unwrap(),
        move || writer.write_all(b"abc").unwrap(),
    );
    assert_eq!(read, 3);
    assert!(parked("read") > 0);
}

#[test]
fn a_full_pipe() {
    const LEN: usize = 1 << 20;
    let (mut reader, mut writer) = io::pipe().unwrap();
    let wrote = ends(
        move || writer.write(&vec![1; LEN]).unwrap(),
        move || assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), LEN as u64),
    );
    assert_eq!(wrote, LEN);
}

#[test]
fn datagrams() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let got = ends(
        move || ours.recv_from(&mut [0; 9]).unwrap().0,
        move || assert_eq!(theirs.send(b"four").unwrap(), 4),
    );
    assert_eq!(got, 4);
}

#[test]
fn an_event_of_the_kernels() {
    // SAFETY: takes numbers; the descriptor is new, and nobody else's.
    let event = || unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, libc::EFD_CLOEXEC)) };
    let mut event = File::from(event());
    let mut other = event.try_clone().unwrap();
    let read = ends(
        move || {
            let mut count = [0; 8];
            event.read_exact(&mut count).unwrap();
            u64::from_ne_bytes(count)
        },
        move || other.write_all(&7u64.to_ne_bytes()).unwrap(),
    );
    assert_eq!(read, 7);
}

#[test]
fn accepting_and_a_full_unix_listener() {
    on_one_worker();
    let dir = std::env::temp_dir().join(format!("greenwire-monkey-{}", std::process::id()));
    let listener = UnixListener::bind(&dir).unwrap();
    let path = dir.clone();
    // More than its queue holds.
    let clients: Vec<_> = (0..300)
        .map(|_| {
            let path = path.clone();
            spawn_green(move || UnixStream::connect(path).map(drop))
        })
        .collect();
    let server = spawn_green(move || {
        std::thread::sleep(SOON);
        listener.incoming().take(300).map(Result::unwrap).count()
    });
    assert_eq!(server.join(), 300);
    clients
        .into_iter()
        .for_each(|client| client.join().unwrap());
    std::fs::remove_file(dir).unwrap();
}

fn poll(fds: &[(i32, i16)], milliseconds: i32) -> (i32, Vec<i16>) {
    let mut polled: Vec<libc::pollfd> = fds
        .iter()
        .map(|&(fd, events)| libc::pollfd {
            fd,
            events,
            revents: 0,
        })
        .collect();
    // SAFETY: the array is as long as is said.
    let count = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as _, milliseconds) };
    (count, polled.iter().map(|one| one.revents).collect())
}

#[test]
fn polls_of_one_and_of_many() {
    for many in [false, true] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut writes = theirs.try_clone().unwrap();
        let (idle, _keep) = UnixStream::pair().unwrap();
        let found = ends(
            move || {
                let mut fds = vec![(ours.as_raw_fd(), libc::POLLIN)];
                if many {
                    fds.extend([
                        (idle.as_raw_fd(), libc::POLLIN | libc::POLLPRI),
                        (-1, libc::POLLIN),
                    ]);
                }
                let begin = Instant::now();
                assert_eq!(poll(&fds, 5).0, 0);
                assert!(begin.elapsed() >= Duration::from_millis(5));
                poll(&fds, -1)
            },
            move || writes.write_all(b"x").unwrap(),
        );
        assert_eq!((found.0, found.1[0]), (1, libc::POLLIN));
    }
}

#[test]
fn select() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let found = ends(
        move || {
            let fd = ours.as_raw_fd();
            // SAFETY: all zeros is an empty set, and the number has room in it.
            unsafe {
                let mut set: libc::fd_set = std::mem::zeroed();
                libc::FD_SET(fd, &raw mut set);
                let mut soon = libc::timeval {
                    tv_sec: 0,
                    tv_usec: 5000,
                };
                let none =
                    libc::select(fd + 1, &raw mut set, null_mut(), null_mut(), &raw mut soon);
                assert!(none == 0 && !libc::FD_ISSET(fd, &raw const set));
                libc::FD_SET(fd, &raw mut set);
                let one = libc::select(fd + 1, &raw mut set, null_mut(), null_mut(), null_mut());
                (one, libc::FD_ISSET(fd, &raw const set))
            }
        },
        move || theirs.write_all(b"x").unwrap(),
    );
    assert_eq!(found, (1, true));
}

#[test]
fn an_epoll_of_the_users() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let found = ends(
        move || {
            let mut event = libc::epoll_event {
                events: libc::EPOLLIN as u32,
                u64: 5,
            };
            // SAFETY: the pointers are valid for one event.
            unsafe {
                let epoll = OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC));
                let (fd, add) = (epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
                assert_eq!(
                    libc::epoll_ctl(fd, add, ours.as_raw_fd(), &raw mut event),
                    0
                );
                assert_eq!(libc::epoll_wait(fd, &raw mut event, 1, 5), 0);
                (libc::epoll_wait(fd, &raw mut event, 1, -1), event.u64)
            }
        },
        move || theirs.write_all(b"x").unwrap(),
    );
    assert_eq!(found, (1, 5));
}

#[test]
fn names() {
    let found = ends(
        || ("localhost", 80).to_socket_addrs().unwrap().count(),
        || {},
    );
    assert!(found > 0);
}

#[test]
fn files() {
    on_one_worker();
    green(|| {
        let path = std::env::temp_dir().join(format!("greenwire-file-{}", std::process::id()));
        let mut file = File::create_new(&path).unwrap();
        file.write_all(b"hello, ").unwrap();
        file.write_all(b"world").unwrap();
        file.sync_all().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello, world");
        let mut copy = File::options().read(true).write(true).open(&path).unwrap();
        copy.seek(io::SeekFrom::Start(7)).unwrap();
        copy.write_all(b"W").unwrap();
        let mut text = String::new();
        copy.read_to_string(&mut text).unwrap();
        assert_eq!(text, "orld");
        let second = path.with_extension("2");
        assert_eq!(std::fs::copy(&path, &second).unwrap(), 12);
        assert_eq!(std::fs::read(&second).unwrap(), b"hello, World");
        std::fs::remove_file(second).unwrap();
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn a_file_that_is_sent() {
    const LEN: usize = 3 << 20;
    let path = std::env::temp_dir().join(format!("greenwire-sent-{}", std::process::id()));
    std::fs::write(&path, vec![9; LEN]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let file = path.clone();
    let sent = ends(
        move || {
            io::copy(
                &mut File::open(file).unwrap(),
                &mut listener.accept().unwrap().0,
            )
            .unwrap()
        },
        move || {
            let mut stream = TcpStream::connect(addr).unwrap();
            std::thread::sleep(SOON);
            let mut all = Vec::new();
            assert_eq!(stream.read_to_end(&mut all).unwrap(), LEN);
        },
    );
    std::fs::remove_file(path).unwrap();
    assert_eq!(sent, LEN as u64);
}

#[test]
fn from_a_socket_to_a_pipe() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let (mut reader, mut writer) = io::pipe().unwrap();
    let copied = ends(
        move || io::copy(&mut ours, &mut writer).unwrap(),
        move || {
            theirs.write_all(&[5; 100_000]).unwrap();
            drop(theirs);
            let mut all = Vec::new();
            assert_eq!(reader.read_to_end(&mut all).unwrap(), 100_000);
        },
    );
    assert_eq!(copied, 100_000);
}

#[test]
fn locks_of_files() {
    let path = std::env::temp_dir().join(format!("greenwire-lock-{}", std::process::id()));
    let ours = File::create_new(&path).unwrap();
    let theirs = File::open(&path).unwrap();
    theirs.lock().unwrap();
    ends(
        move || ours.lock().unwrap(),
        move || theirs.unlock().unwrap(),
    );
    std::fs::remove_file(path).unwrap();
}

#[test]
fn child_processes() {
    on_one_worker();
    let dir = std::env::temp_dir().join(format!("greenwire-children-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    // Each of them ends when all have begun.
    let script = "cd $0; : >$1; until [ $(ls | wc -l) = 20 ]; do sleep 0.05; done
        echo $1; echo no >&2; exit 3";
    let children: Vec<_> = (0..20)
        .map(|n: usize| {
            let dir = dir.clone();
            spawn_green(move || {
                let output = Command::new("sh")
                    .args(["-c", script])
                    .arg(dir)
                    .arg(n.to_string())
                    .output()
                    .unwrap();
                assert_eq!(output.status.code(), Some(3));
                String::from_utf8(output.stdout)
                    .unwrap()
                    .trim()
                    .parse::<usize>()
                    .unwrap()
            })
        })
        .collect();
    let sum: usize = children.into_iter().map(|child| child.join()).sum();
    assert_eq!(sum, 190);
    std::fs::remove_dir_all(dir).unwrap();
}

/// The mode of a descriptor that a child inherits is what the child expects.
#[test]
fn a_child_that_inherits_a_descriptor() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let said = ends(
        move || {
            // It was waited on here before.
            let mut theirs = theirs;
            let mut byte = [0];
            theirs.read_exact(&mut byte).unwrap();
            let input = Stdio::from(OwnedFd::from(theirs));
            Command::new("cat").stdin(input).output().unwrap()
        },
        move || {
            ours.write_all(b"x").unwrap();
            std::thread::sleep(SOON);
            ours.write_all(b"late").unwrap();
        },
    );
    assert!(said.status.success(), "{said:?}");
    assert_eq!(said.stdout, b"late");
}

#[test]
fn a_forking_command() {
    use std::os::unix::process::CommandExt;

    on_one_worker();
    let output = green(|| {
        let mut command = Command::new("echo");
        // SAFETY: it does nothing.
        unsafe { command.arg("hello").pre_exec(|| Ok(())).output().unwrap() }
    });
    assert_eq!(output.stdout, b"hello\n");
}

#[test]
fn os_threads_are_joined() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    ends(
        move || {
            std::thread::spawn(move || receiver.recv())
                .join()
                .unwrap()
                .unwrap()
        },
        move || sender.send(()).unwrap(),
    );
    assert!(parked("pthread_join") > 0);
}

/// As a reactor's users expect; a blocked OS thread would wait on.
#[test]
fn closing_a_descriptor_wakes_who_waits_for_it() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let fd = ours.as_raw_fd();
    // SAFETY: nobody uses it after it is closed below, except to see that it is.
    let closes = move || unsafe { assert_eq!(libc::close(fd), 0) };
    let error = ends(
        move || {
            let result = (&ours).read(&mut [0]);
            std::mem::forget(ours);
            result.unwrap_err().raw_os_error()
        },
        closes,
    );
    assert_eq!(error, Some(libc::EBADF));
    drop(theirs);
}

#[test]
fn closing_a_duplicate_wakes_only_who_waits_for_that() {
    on_one_worker();
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let duplicate = std::mem::ManuallyDrop::new(ours.try_clone().unwrap());
    let fd = duplicate.as_raw_fd();
    let of_duplicate =
        spawn_green(move || (&*duplicate).read(&mut [0]).unwrap_err().raw_os_error());
    let read = ends(
        move || ours.read(&mut [0]).unwrap(),
        move || {
            // SAFETY: it is used no more but to see that it is closed.
            assert_eq!(unsafe { libc::close(fd) }, 0);
            std::thread::sleep(SOON);
            theirs.write_all(b"x").unwrap();
        },
    );
    assert_eq!((read, of_duplicate.join()), (1, Some(libc::EBADF)));
}

/// Nothing is remembered of a number, so it may be another socket's behind our back.
#[test]
fn a_number_that_is_used_again() {
    on_one_worker();
    green(|| {
        for _ in 0..3 {
            let (mut ours, mut theirs) = UnixStream::pair().unwrap();
            let writes = greenwire_runtime::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(2));
                theirs.write_all(b"x").unwrap();
            });
            ours.read_exact(&mut [0]).unwrap();
            let fd = ours.as_raw_fd();
            std::mem::forget(ours);
            // Past every hook.
            // SAFETY: the descriptor is ours alone.
            monkey::blocking(|| unsafe { libc::syscall(libc::SYS_close, fd) });
            writes.join().unwrap();
        }
    });
}

/// A green thread waits on a socket in one way; greenwire's own sockets may have it in another.
#[test]
fn a_socket_that_becomes_greenwires_and_back() {
    use greenwire_runtime::io::{Direction, Source};

    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let second = ours.try_clone().unwrap();
    let both = ends(
        move || {
            let source = Source::new(&ours);
            let by_libc = greenwire_runtime::thread::scope(|scope| {
                let reads = scope.spawn(|| (&ours).read(&mut [0]).unwrap());
                // The same descriptor, registered by itself.
                source.wait(Direction::Read, None).unwrap();
                reads.join().unwrap()
            });
            drop(second);
            by_libc
        },
        move || theirs.write_all(b"x").unwrap(),
    );
    assert_eq!(both, 1);
}

#[test]
fn nothing_parks_in_a_blocking_section() {
    on_one_worker();
    green(|| {
        let ran = std::rc::Rc::new(std::cell::Cell::new(false));
        let runs = ran.clone();
        let other = greenwire_runtime::thread::spawn_local(move || runs.set(true));
        monkey::blocking(|| std::thread::sleep(Duration::from_millis(5)));
        assert!(!ran.get());
        other.join().unwrap();
    });
}

/// A lock of parking_lot's waits so. Another green thread of the worker would find the word in use.
#[test]
fn a_word_in_thread_local_storage_blocks_its_worker() {
    thread_local! {
        static WORD: AtomicU32 = const { AtomicU32::new(1) };
    }
    fn futex(word: usize, operation: i32, value: u32) {
        let (operation, no_limit) = (
            operation | libc::FUTEX_PRIVATE_FLAG,
            null_mut::<libc::timespec>(),
        );
        // SAFETY: the word is the worker's, which never ends.
        unsafe { libc::syscall(libc::SYS_futex, word, operation, value, no_limit) };
    }

    on_one_worker();
    let (sender, receiver) = std::sync::mpsc::channel();
    let waits = spawn_green(move || {
        let ran = std::rc::Rc::new(std::cell::Cell::new(false));
        let runs = ran.clone();
        let other = greenwire_runtime::thread::spawn_local(move || runs.set(true));
        WORD.with(|word| {
            sender.send(word.as_ptr().addr()).unwrap();
            while word.load(Ordering::SeqCst) == 1 {
                futex(word.as_ptr().addr(), libc::FUTEX_WAIT, 1);
            }
        });
        assert!(!ran.get());
        other.join().unwrap();
    });
    let word = receiver.recv_timeout(support::DEADLINE).unwrap();
    std::thread::sleep(SOON);
    // SAFETY: as above, and it is an atomic.
    unsafe { &*(word as *const AtomicU32) }.store(0, Ordering::SeqCst);
    futex(word, libc::FUTEX_WAKE, 1);
    waits.join();
}

#[test]
fn os_threads_block_as_ever_on_a_socket_of_green_threads() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let (mut again, mut writes) = (ours.try_clone().unwrap(), theirs.try_clone().unwrap());
    let got = ends(
        move || ours.read(&mut [0; 1]).unwrap(),
        move || writes.write_all(b"x").unwrap(),
    );
    assert_eq!(got, 1);
    let reads = std::thread::spawn(move || again.read(&mut [0; 1]).unwrap());
    std::thread::sleep(SOON);
    // In another mode it would have failed at once.
    (&theirs).write_all(b"y").unwrap();
    assert_eq!(reads.join().unwrap(), 1);
}

/// One may, if an OS thread wakes it; and it is counted, since two could not.
#[test]
fn a_wait_that_belongs_to_the_os_thread_is_told_of() {
    on_one_worker();
    let before = monkey::report().waits_of_os_thread;
    let (sender, receiver) = std::sync::mpsc::channel();
    let waits = spawn_green(move || receiver.recv().unwrap());
    let begin = Instant::now();
    while monkey::report().waits_of_os_thread == before {
        assert!(begin.elapsed() < support::DEADLINE);
        std::thread::yield_now();
    }
    sender.send(5).unwrap();
    assert_eq!(waits.join(), 5);
}
