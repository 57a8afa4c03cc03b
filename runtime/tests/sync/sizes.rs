//! What the documentation says of sizes.

use greenwire_runtime::sync::{Condvar, Event, Mutex, RwLock, Semaphore};

#[test]
fn what_nobody_waits_for_is_as_small_as_documented() {
    assert_eq!(size_of::<Mutex<u64>>(), 64 + 8);
    assert_eq!(size_of::<RwLock<u64>>(), 64 + 8);
    assert_eq!(size_of::<Condvar>(), 48);
    assert_eq!(size_of::<Event>(), 56);
    assert_eq!(size_of::<Semaphore>(), 56);
}
