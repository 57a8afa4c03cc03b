//! `OpenOptions`: std's, for our `File`.

use super::file::File;
use greenwire_runtime::unblock;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::{fs, io};

/// How a file is opened, as [`std::fs::OpenOptions`]. Std's [`OpenOptionsExt`] works on it, too.
#[derive(Clone, Debug)]
pub struct OpenOptions(fs::OpenOptions);

impl OpenOptions {
    /// Nothing is permitted yet.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    pub fn new() -> OpenOptions {
        OpenOptions(fs::OpenOptions::new())
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// As std's.
    pub fn open<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        let (options, path) = (self.0.clone(), path.as_ref().to_owned());
        unblock(move || options.open(path)).map(File::from)
    }
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        impl OpenOptions {$(
            $(#[$doc])*
            pub fn $name(&mut self, $name: bool) -> &mut OpenOptions {
                self.0.$name($name);
                self
            }
        )*}
    };
}

options! {
    /// Whether it can be read.
    read;
    /// Whether it can be written.
    write;
    /// Whether all writes go to its end.
    append;
    /// Whether what it holds is discarded.
    truncate;
    /// Whether it is made if there is none.
    create;
    /// Whether it is made, and there must be none.
    create_new;
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.0.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.0.custom_flags(flags);
        self
    }
}
