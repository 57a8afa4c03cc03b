//! The bytes of a file, or of pieces of it, as the body of a response.

use crate::Body;
use greenwire_runtime::unblock;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bodies up to this size are read at once.
const SMALL: u64 = 64 << 10;

/// What is read of a larger one at a time: a trip to another OS thread costs some 20 µs.
const STEP: usize = 128 << 10;

/// What a body is made of: pieces of one file, each behind some text, and text at the end.
pub(super) struct Pieces {
    file: Arc<File>,
    pieces: Vec<(String, Range<u64>)>,
    end: String,
}

impl Pieces {
    pub(super) fn one(file: File, piece: Range<u64>) -> Pieces {
        Pieces {
            file: Arc::new(file),
            pieces: vec![(String::new(), piece)],
            end: String::new(),
        }
    }

    /// As `multipart/byteranges` (RFC 9110 §14.6), with the type that has to be told. The boundary is
    /// random, so that no file can contain it on purpose.
    pub(super) fn several(
        file: File,
        ranges: Vec<Range<u64>>,
        size: u64,
        content_type: &str,
    ) -> (Pieces, String) {
        let boundary = format!("{:016x}", RandomState::new().build_hasher().finish());
        let pieces = ranges.into_iter().map(|range| {
            let content_range = content_range(&range, size);
            let text = format!(
                "\r\n--{boundary}\r\ncontent-type: {content_type}\r\ncontent-range: {content_range}\r\n\r\n"
            );
            (text, range)
        });
        let pieces = Pieces {
            file: Arc::new(file),
            pieces: pieces.collect(),
            end: format!("\r\n--{boundary}--\r\n"),
        };
        let content_type = format!("multipart/byteranges; boundary={boundary}");
        (pieces, content_type)
    }

    pub(super) fn length(&self) -> u64 {
        let pieces = self.pieces.iter();
        let lengths = pieces.map(|(text, range)| text.len() as u64 + range.end - range.start);
        lengths.sum::<u64>() + self.end.len() as u64
    }

    /// Small ones are read now; so this must not be called on a worker.
    pub(super) fn into_body(self) -> io::Result<Body> {
        if self.length() > SMALL {
            return Ok(Body::writer(|out| self.write_to(out)));
        }
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)?;
        Ok(Body::from(bytes))
    }

    fn write_to(self, out: &mut impl Write) -> io::Result<()> {
        for (text, range) in self.pieces {
            out.write_all(text.as_bytes())?;
            copy(&self.file, range, out)?;
        }
        out.write_all(self.end.as_bytes())
    }
}

/// Where a piece lies, for the header of that name.
pub(super) fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}

/// Copies a part of a file. On a green thread the file is read on another OS thread; the buffer goes there and
/// back.
fn copy(file: &Arc<File>, range: Range<u64>, out: &mut impl Write) -> io::Result<()> {
    let mut buf = Vec::new();
    let mut offset = range.start;
    while offset < range.end {
        let left = usize::try_from(range.end - offset).unwrap_or(usize::MAX);
        buf.resize(left.min(STEP), 0);
        let file = Arc::clone(file);
        buf = unblock(move || file.read_exact_at(&mut buf, offset).map(|()| buf))?;
        out.write_all(&buf)?;
        offset += buf.len() as u64;
    }
    Ok(())
}
