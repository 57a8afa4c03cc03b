//! Addresses of Unix sockets, between std's type and that of the system calls.

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use std::ffi::OsStr;
use std::io;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;

/// For a system call. The unnamed address is refused there, as std's calls are.
pub(super) fn to_system(addr: &SocketAddr) -> io::Result<SocketAddrUnix> {
    if let Some(path) = addr.as_pathname() {
        return Ok(SocketAddrUnix::new(path)?);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = addr.as_abstract_name() {
        return Ok(SocketAddrUnix::new_abstract_name(name)?);
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Whose a datagram is. A sender that is bound to nothing is unnamed.
pub(super) fn from_system(addr: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let unix = addr.and_then(|addr| SocketAddrUnix::try_from(addr).ok());
    let Some(unix) = unix else {
        return SocketAddr::from_pathname("");
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = unix.abstract_name() {
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(OsStr::from_bytes(unix.path_bytes().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_survive() {
        let path = SocketAddr::from_pathname("/tmp/a socket").unwrap();
        let back = from_system(Some(to_system(&path).unwrap().into())).unwrap();
        assert_eq!(back.as_pathname(), path.as_pathname());
        assert!(from_system(None).unwrap().is_unnamed());
        assert!(to_system(&from_system(None).unwrap()).is_err());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn abstract_names_survive() {
        let name = SocketAddr::from_abstract_name(b"with\0zero").unwrap();
        let back = from_system(Some(to_system(&name).unwrap().into())).unwrap();
        assert_eq!(back.as_abstract_name(), Some(&b"with\0zero"[..]));
    }
}
