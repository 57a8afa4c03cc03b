//! What is safe here, what is not, and what is only surprising. This module has no items; it is a page.
//!
//! A green thread may start on any worker. From its first instruction on it stays on that OS thread until
//! it ends. So thread-locals, values that are not `Send`, and lock guards mean in it what they mean on
//! an ordinary thread, and no value is ever used from two OS threads without `Send` or `Sync`.
//!
//! But green threads of one worker *interleave*. Any call into this crate that can wait may run others of
//! the same OS thread before it returns, and so may a call of code that calls it. The compiler and std
//! do not know that. All that is wrong, or may astonish, comes from there.
//!
//! # What can be undefined behaviour
//!
//! Two patterns of safe code are unsound on every runtime that switches stacks. It cannot detect them.
//! [`no_switch`](crate::thread::no_switch) makes both sound: waits inside of it block the worker, so
//! nobody else of the OS thread can run.
//!
//! ## Waiting while a `thread_local!` is being made
//!
//! std relies on the initialiser of a thread-local to return before anybody else asks for it on the same
//! OS thread. If it waits, another green thread can make it, too, and borrow what the first one then
//! replaces.
//!
//! ```no_run
//! use greenwire_runtime::{thread, unblock};
//!
//! thread_local! {
//!     static HOSTS: String = unblock(|| std::fs::read_to_string("/etc/hosts")).unwrap_or_default();
//! }
//!
//! thread::spawn(|| HOSTS.with(String::len)); // Wrong: the initialiser waits.
//! ```
//!
//! Right, in the order of preference:
//!
//! ```
//! use greenwire_runtime::{green_local, thread, unblock};
//! use std::sync::OnceLock;
//!
//! fn read() -> String {
//!     unblock(|| std::fs::read_to_string("/etc/hosts")).unwrap_or_default()
//! }
//!
//! green_local! {
//!     static OF_EACH_GREEN_THREAD: String = read(); // This initialiser may wait.
//! }
//! static OF_THE_PROCESS: OnceLock<String> = OnceLock::new();
//! thread_local! {
//!     static OF_EACH_WORKER: String = read();
//! }
//!
//! let length = thread::spawn(|| {
//!     // What waits comes before, not inside of `get_or_init`: that would block a whole worker.
//!     let text = read();
//!     let text = OF_THE_PROCESS.get_or_init(|| text);
//!     assert_eq!(OF_EACH_GREEN_THREAD.with(String::len), text.len());
//!     // Whoever comes first makes it, so every access must be guarded.
//!     thread::no_switch(|| OF_EACH_WORKER.with(String::len))
//! });
//! assert_eq!(length.join().unwrap(), OF_THE_PROCESS.get().unwrap().len());
//! ```
//!
//! ## Waiting inside of a scoped thread-local
//!
//! `scoped_tls::ScopedKey::set` and its like lend a reference through a thread-local for as long as a
//! closure runs. Each sets the thread-local, runs the closure, and puts the previous value back. If two of
//! them interleave, one puts a reference back whose value is gone. The same with a number instead of a
//! reference, where it is only wrong:
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::cell::Cell;
//! use std::time::Duration;
//!
//! thread_local! {
//!     static CURRENT: Cell<u32> = const { Cell::new(0) };
//! }
//!
//! fn with_current(n: u32, f: impl FnOnce()) {
//!     let previous = CURRENT.replace(n);
//!     f();
//!     CURRENT.set(previous);
//! }
//!
//! let outer = thread::spawn(|| {
//!     let nap = |millis| thread::sleep(Duration::from_millis(millis));
//!     let first = thread::spawn_local(move || with_current(1, || nap(20)));
//!     let second = thread::spawn_local(move || with_current(2, || nap(40)));
//!     first.join().unwrap();
//!     second.join().unwrap();
//!     CURRENT.get()
//! });
//! // The second one has put back what the first one lent.
//! assert_eq!(outer.join().unwrap(), 1);
//! ```
//!
//! A [`green_local!`](crate::green_local) has one value for each green thread, so nothing interleaves.
//! With a library that you cannot change, wrap what runs inside:
//! `thread::no_switch(|| KEY.set(&value, || ...))`.
//!
//! # What is only surprising
//!
//! ## A `std::sync::Mutex` held across a wait
//!
//! Whoever wants it blocks their worker; on the same worker that is for ever, since the holder can never go
//! on. Use [`sync::Mutex`](crate::sync::Mutex), or release before you wait.
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::sync::Mutex;
//! use std::time::Duration;
//!
//! static LOCK: Mutex<u32> = Mutex::new(0);
//!
//! let outer = thread::spawn(|| {
//!     let holder = thread::spawn_local(|| {
//!         let _guard = LOCK.lock().unwrap();
//!         thread::sleep(Duration::from_millis(20));
//!     });
//!     thread::sleep(Duration::from_millis(5));
//!     // `lock` would never return here.
//!     let taken = LOCK.try_lock().is_err();
//!     holder.join().unwrap();
//!     taken
//! });
//! assert!(outer.join().unwrap());
//! ```
//!
//! ## A `RefCell` in a thread-local, borrowed across a wait
//!
//! Another green thread of the worker finds it borrowed, and panics.
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::cell::RefCell;
//! use std::time::Duration;
//!
//! thread_local! {
//!     static NOTES: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
//! }
//!
//! let outer = thread::spawn(|| {
//!     let holder = thread::spawn_local(|| {
//!         NOTES.with_borrow_mut(|notes| {
//!             thread::sleep(Duration::from_millis(20));
//!             notes.push(1);
//!         });
//!     });
//!     thread::sleep(Duration::from_millis(5));
//!     let borrowed = NOTES.with(|notes| notes.try_borrow().is_err());
//!     holder.join().unwrap();
//!     borrowed
//! });
//! assert!(outer.join().unwrap());
//! ```
//!
//! ## Locks and flags that belong to the OS thread
//!
//! The locks of standard output and standard error, and reentrant locks of other libraries, know OS
//! threads. All green threads of a worker pass through at the same time, so do not wait while you
//! hold one.
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::io;
//! use std::time::Duration;
//!
//! let outer = thread::spawn(|| {
//!     let holder = thread::spawn_local(|| {
//!         let _output = io::stdout().lock();
//!         thread::sleep(Duration::from_millis(20));
//!     });
//!     thread::yield_now();
//!     let _output = io::stdout().lock(); // This waits for nobody: for std it is the holder.
//!     !holder.is_finished()
//! });
//! assert!(outer.join().unwrap());
//! ```
//!
//! And [`std::thread::panicking`] is true for all of them while one unwinds; so a
//! `std::sync::Mutex` that is released meanwhile is poisoned.
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::time::Duration;
//!
//! struct SlowDrop;
//!
//! impl Drop for SlowDrop {
//!     fn drop(&mut self) {
//!         thread::sleep(Duration::from_millis(20));
//!     }
//! }
//!
//! let outer = thread::spawn(|| {
//!     let unwinds = thread::spawn_local(|| {
//!         let _slow = SlowDrop;
//!         panic!("an example");
//!     });
//!     thread::sleep(Duration::from_millis(5));
//!     let flags = (std::thread::panicking(), thread::panicking());
//!     unwinds.join().unwrap_err();
//!     flags
//! });
//! assert_eq!(outer.join().unwrap(), (true, false));
//! ```
//!
//! ## `std::thread` on a green thread
//!
//! [`std::thread::park`], [`std::thread::sleep`] and all blocking calls of std stop the worker with all its
//! green threads. [`std::thread::current`] is the worker. Use the functions of this crate by the same
//! names, or [`unblock`](crate::unblock).
//!
//! ## Catching unwinds
//!
//! A cancellation and the end of a [`timeout`](crate::time::timeout) are unwinds.
//! [`catch_panic`](crate::thread::catch_panic) lets them pass. Who catches by std's means asks
//! [`is_cancellation`](crate::thread::is_cancellation), and passes such a payload on:
//!
//! ```
//! use greenwire_runtime::thread;
//! use std::panic::{self, AssertUnwindSafe};
//!
//! fn call(handler: impl FnOnce()) {
//!     if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(handler)) {
//!         if thread::is_cancellation(&*payload) {
//!             thread::resume_cancellation(payload);
//!         }
//!         println!("the handler panicked");
//!     }
//! }
//!
//! let thread = thread::spawn(|| call(thread::park));
//! thread.cancel().unwrap();
//! assert!(thread.join().unwrap_err().is::<thread::Cancelled>());
//! ```
//!
//! std does not tell that it has caught a panic. So if another green thread of the worker waits just then in
//! the middle of its own unwinding, cancellations and limits are put off until it has unwound.
//!
//! Neither can pass through frames of C, such as a callback that C code calls: the process aborts. Wrap
//! what waits there in [`no_cancel`](crate::thread::no_cancel), outside of every `timeout`.
//!
//! ## The panic hook
//!
//! When the runtime begins, it puts a hook before the program's own, which notes that a green thread unwinds, and calls
//! the program's. A program that sets its hook later loses that: while one green thread waits in the middle
//! of its unwinding, a panic of another one of the worker then does not poison, and is not safe from being
//! cancelled.
//!
//! A hook must not wait, since std takes a panic of any other green thread of the worker for a panic of the
//! hook, and aborts. If it has to, as to send its report to a thread that writes them, then like this:
//!
//! ```
//! use greenwire_runtime::{sync::mpsc, thread};
//! use std::panic;
//!
//! let (sender, reports) = mpsc::sync_channel(0);
//! std::thread::spawn(move || reports.iter().for_each(drop::<String>));
//! panic::set_hook(Box::new(move |info| {
//!     let report = info.to_string();
//!     thread::no_switch(|| sender.send(report).unwrap());
//! }));
//!
//! let threads = [1, 2].map(|n| thread::spawn(move || panic!("number {n}")));
//! assert!(threads.map(|thread| thread.join().is_err()) == [true; 2]);
//! ```
//!
//! # What ends the process
//!
//! The end of `main`, and [`std::process::exit`] wherever it is called, as with std's threads: green threads
//! that still live are not unwound. [`run_until_idle`](crate::run_until_idle) waits for them.
//!
//! A panic in a destructor while its thread unwinds, for a panic or a cancellation, aborts the process, as
//! everywhere in Rust.
//!
//! A stack that overflows ends it with a message that names the green thread. There is no recovery, since
//! frames whose destructors never run would be unsound.
//!
//! # Fork
//!
//! Only the thread that forks lives on in the child, so no worker does. There a call that would need one
//! fails: with an error of kind `Unsupported` where there is a `Result`, else with a panic, both with a
//! message that says so. A green thread that forks may call `exec` or `_exit` in the child; if it
//! returns there, the process aborts. A program that wants to go on with greenwire in the child forks
//! before its first use. [`std::process::Command`] is not affected.
//!
//! # Whether Rust promises it
//!
//! Rust's rules do not speak of switching stacks. Whether they ever bless it is discussed in
//! unsafe-code-guidelines#602. This crate relies on what has held on every compiler so far: a stack
//! that is suspended and resumed on the same OS thread sees a call that took long.
