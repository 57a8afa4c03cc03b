//! System calls that never wait, on sockets that may be in blocking mode.
//!
//! `MSG_DONTWAIT` makes a single call non-blocking, so a connected socket keeps the blocking mode in
//! which std, inherited descriptors and an OS thread's own calls expect it. Nothing here parks.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::addr::SocketAddrArg;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny};
use rustix::net::{recv, recvfrom, recvmsg, send, sendmsg, sendto};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;

/// Whether `MSG_DONTWAIT` covers sending. XNU minds it in `recv` only: there a `send` into a full
/// blocking socket waits whatever its flags say (`sosendcheck`), so on Apple's systems connected
/// sockets have to be in non-blocking mode.
pub(crate) const DONTWAIT_COVERS_SENDING: bool = !cfg!(target_vendor = "apple");

/// The kernels' limit of slices in one call (`UIO_MAXIOV`); beyond it they fail the whole call.
const MAX_SLICES: usize = 1024;

#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// Apple's systems have the option `SO_NOSIGPIPE` in place of `MSG_NOSIGNAL`.
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// What poll has to be asked for, beside what it always tells, to learn of a peer that has ended its sending.
#[cfg(any(target_os = "linux", target_os = "android"))]
const END_OF_SENDING: PollFlags = PollFlags::RDHUP;
/// Elsewhere only the end of both directions is told.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const END_OF_SENDING: PollFlags = PollFlags::empty();

/// Whether the peer sends no more, or the connection has failed. Bytes that nobody has read do not hide it.
pub(crate) fn has_hung_up(fd: impl AsFd) -> bool {
    let mut asked = [PollFd::new(&fd, END_OF_SENDING)];
    let ends = END_OF_SENDING | PollFlags::HUP | PollFlags::ERR;
    poll(&mut asked, Some(&Timespec::default())).is_ok() && asked[0].revents().intersects(ends)
}

#[inline]
pub(crate) fn try_recv(fd: impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    Ok(recv(fd, buf, RecvFlags::DONTWAIT)?.0)
}

pub(crate) fn try_peek(fd: impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    Ok(recv(fd, buf, RecvFlags::DONTWAIT | RecvFlags::PEEK)?.0)
}

pub(crate) fn try_recv_vectored(fd: impl AsFd, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let count = bufs.len().min(MAX_SLICES);
    let mut control = RecvAncillaryBuffer::default();
    let received = recvmsg(fd, &mut bufs[..count], &mut control, RecvFlags::DONTWAIT)?;
    Ok(received.bytes)
}

#[inline]
pub(crate) fn try_send(fd: impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(send(fd, buf, SEND)?)
}

pub(crate) fn try_send_vectored(fd: impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let bufs = &bufs[..bufs.len().min(MAX_SLICES)];
    Ok(sendmsg(
        fd,
        bufs,
        &mut SendAncillaryBuffer::default(),
        SEND,
    )?)
}

pub(crate) fn try_recv_from(
    fd: impl AsFd,
    buf: &mut [u8],
) -> io::Result<(usize, Option<SocketAddrAny>)> {
    let (count, _, from) = recvfrom(fd, buf, RecvFlags::DONTWAIT)?;
    Ok((count, from))
}

pub(crate) fn try_peek_from(
    fd: impl AsFd,
    buf: &mut [u8],
) -> io::Result<(usize, Option<SocketAddrAny>)> {
    let (count, _, from) = recvfrom(fd, buf, RecvFlags::DONTWAIT | RecvFlags::PEEK)?;
    Ok((count, from))
}

pub(crate) fn try_send_to(fd: impl AsFd, buf: &[u8], to: &impl SocketAddrArg) -> io::Result<usize> {
    Ok(sendto(fd, buf, SEND, to)?)
}
