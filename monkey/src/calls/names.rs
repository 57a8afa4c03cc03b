//! Looking up names. A static program's `getaddrinfo` cannot be stood in for: it is in one piece with others.

use std::ffi::{c_char, c_int};
use std::io;

use libc::addrinfo;

use crate::calls::offload::offload;
use crate::errno;
use crate::hooks::next;

/// # Safety
///
/// That of libc's `getaddrinfo`, which returns an error number of its own.
pub(crate) unsafe fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> io::Result<c_int> {
    let (code, number) = offload(|| {
        // SAFETY: as the caller promises.
        let code = unsafe { next::getaddrinfo(node, service, hints, found) };
        Ok((code, errno::number_of(&io::Error::last_os_error())))
    })?;
    errno::set(number);
    Ok(code)
}
