//! The same source against std and against greenwire: the swap of the name is all that differs.

#![allow(clippy::duplicate_mod, reason = "that they are the same is the point")]

#[path = "parity"]
mod over_std {
    use std::{fs, io, process};

    mod signatures;
}

#[path = "parity"]
mod over_greenwire {
    use greenwire_system::{fs, io, process};

    mod signatures;
}
