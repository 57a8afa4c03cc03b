//! greenwire, all of it under one name. The documentation is README.md.

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[doc(inline)]
pub use greenwire_runtime as runtime;
#[doc(inline)]
pub use greenwire_runtime::{green_local, signal, sync, thread, time, unblock};
#[doc(inline)]
pub use {greenwire_http as http, greenwire_net as net, greenwire_websocket as websocket};
