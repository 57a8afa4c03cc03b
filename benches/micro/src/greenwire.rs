//! greenwire's green threads.

use crate::blocking::Blocking;
use greenwire_runtime::Builder;
use greenwire_runtime::sync::Mutex;
use greenwire_runtime::sync::mpsc::{Receiver, Sender, channel};
use greenwire_runtime::thread::{self, JoinHandle};
use std::io;
use std::time::Duration;

pub(crate) struct Greenwire;

/// To be called before anything else.
pub(crate) fn start(workers: usize) -> io::Result<()> {
    Builder::new().workers(workers).start()
}

impl Blocking for Greenwire {
    const NAME: &str = "greenwire";

    type Handle<T: Send + 'static> = JoinHandle<T>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Mutex = Mutex<u64>;

    #[inline(always)]
    fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        thread::spawn(body)
    }

    #[inline(always)]
    fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.join().expect("the operations do not panic")
    }

    #[inline(always)]
    fn yield_now() {
        thread::yield_now();
    }

    #[inline(always)]
    fn sleep(duration: Duration) {
        thread::sleep(duration);
    }

    #[inline(always)]
    fn channel() -> (Sender<u64>, Receiver<u64>) {
        channel()
    }

    #[inline(always)]
    fn send(sender: &Sender<u64>, value: u64) {
        // The other side ends first in none of the operations that look.
        let _ = sender.send(value);
    }

    #[inline(always)]
    fn receive(receiver: &Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }

    #[inline(always)]
    fn receive_in(receiver: &Receiver<u64>, limit: Duration) -> Option<u64> {
        receiver.recv_timeout(limit).ok()
    }

    #[inline(always)]
    fn mutex() -> Mutex<u64> {
        Mutex::new(0)
    }

    #[inline(always)]
    fn with_lock(mutex: &Mutex<u64>, body: impl FnOnce(&mut u64)) {
        body(&mut mutex.lock().expect("the operations do not panic"));
    }
}
