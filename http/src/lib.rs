//! The HTTP server of greenwire.
