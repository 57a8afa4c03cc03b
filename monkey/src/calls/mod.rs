//! What a green thread calls in place of libc's functions, by what they wait for. Each has the name of the
//! function; the table in `hooks.rs` says which takes whose place.

#[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
pub(crate) mod epoll;
pub(crate) mod files;
pub(crate) mod futex;
#[cfg(not(target_feature = "crt-static"))]
pub(crate) mod joining;
#[cfg(not(target_feature = "crt-static"))]
pub(crate) mod names;
pub(crate) mod offload;
pub(crate) mod parking;
pub(crate) mod polling;
pub(crate) mod processes;
pub(crate) mod sleeping;
pub(crate) mod sockets;
pub(crate) mod transfers;
