//! The websockets of greenwire.
