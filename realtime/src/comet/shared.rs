//! What the handles of one comet server share, and the green thread that collects idle clients.

use super::config::Config;
use super::hub::Hub;
use greenwire_runtime::sync::Mutex;
use greenwire_runtime::thread;
use greenwire_runtime::time::Instant;
use std::sync::Arc;

/// How many clients are looked at before others get their turn.
const PIECE: usize = 1000;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    hub: Mutex<Hub>,
}

impl Shared {
    pub(super) fn start(config: Config) -> Arc<Shared> {
        let hub = Mutex::new(Hub::new(config.limits.clone()));
        let shared = Arc::new(Shared { config, hub });
        let weak = Arc::downgrade(&shared);
        let period = shared.config.collect_every;
        thread::spawn(move || {
            loop {
                thread::sleep(period);
                match weak.upgrade() {
                    Some(shared) => shared.collect(),
                    None => return,
                }
            }
        });
        shared
    }

    /// Does something to the clients and channels, and wakes the readers for whom there is something new.
    pub(super) fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Instant) -> T) -> T {
        let mut hub = self
            .hub
            .lock()
            .expect("nothing that is done under the lock panics");
        let result = act(&mut hub, Instant::now());
        let due = hub.take_due();
        drop(hub);
        for bell in due {
            bell.set();
        }
        result
    }

    fn collect(&self) {
        let mut next = Some(0);
        while let Some(first) = next {
            next = self.with_hub(|hub, now| hub.collect(first, PIECE, now));
            thread::yield_now();
        }
    }
}
