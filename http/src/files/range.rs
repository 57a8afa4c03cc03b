//! Which bytes a `Range` header asks for (RFC 9110 §14). No I/O.

use http::header::HeaderValue;
use std::ops::Range;

/// A request for more pieces gets the whole file: only attackers ask for so many.
const MOST: usize = 16;

/// What a client asks for of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No header, or one that may be ignored.
    All,
    One(Range<u64>),
    /// Two or more, as the client ordered them.
    Several(Vec<Range<u64>>),
    /// Nothing of what there is: 416.
    Nothing,
}

/// Understands a `Range` header for a file of `size` bytes. What is malformed is ignored, as §14.2 says, and so
/// are units other than bytes, and pieces that are more in all than the file.
pub(super) fn parse(header: Option<&HeaderValue>, size: u64) -> Wanted {
    let pieces = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once('='))
        .filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"))
        .and_then(|(_, list)| parse_list(list, size));
    let Some(mut pieces) = pieces else {
        return Wanted::All;
    };
    let total: u64 = pieces.iter().map(|piece| piece.end - piece.start).sum();
    match pieces.len() {
        0 => Wanted::Nothing,
        1 => Wanted::One(pieces.remove(0)),
        2..=MOST if total <= size => Wanted::Several(pieces),
        _ => Wanted::All,
    }
}

/// The pieces that the file has some of. `None` if the list is malformed.
fn parse_list(list: &str, size: u64) -> Option<Vec<Range<u64>>> {
    let specs = list.split(',').map(|spec| spec.trim_matches([' ', '\t']));
    let mut specs = specs.filter(|spec| !spec.is_empty()).peekable();
    specs.peek()?;
    let pieces: Option<Vec<Option<Range<u64>>>> =
        specs.map(|spec| parse_spec(spec, size)).collect();
    Some(pieces?.into_iter().flatten().collect())
}

/// `first-last`, `first-`, or `-length` of the end.
fn parse_spec(spec: &str, size: u64) -> Option<Option<Range<u64>>> {
    let piece = match spec.split_once('-')? {
        ("", length) => size.saturating_sub(parse_number(length)?)..size,
        (first, "") => parse_number(first)?..size,
        (first, last) => {
            let (first, last) = (parse_number(first)?, parse_number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some((piece.start < piece.end).then_some(piece))
}

/// Digits only; a number too large for the type is beyond every file.
fn parse_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &'static str, expected: Wanted) {
        let header = HeaderValue::from_static(header);
        assert_eq!(parse(Some(&header), 10), expected);
    }

    #[test]
    fn one_piece() {
        check("bytes=0-3", Wanted::One(0..4));
        check("bytes=3-3", Wanted::One(3..4));
        check("BYTES = 7-", Wanted::One(7..10));
        check("bytes=-4", Wanted::One(6..10));
        check("bytes=-40", Wanted::One(0..10));
        check("bytes=8-99", Wanted::One(8..10));
        check("bytes=8-99999999999999999999999", Wanted::One(8..10));
    }

    #[test]
    fn several_pieces() {
        check("bytes=0-1, 5-6", Wanted::Several(vec![0..2, 5..7]));
        check("bytes=-1,0-0,", Wanted::Several(vec![9..10, 0..1]));
        check("bytes=20-30,0-1", Wanted::One(0..2));
    }

    #[test]
    fn nothing_of_what_there_is() {
        check("bytes=10-", Wanted::Nothing);
        check("bytes=10-11,99-", Wanted::Nothing);
        check("bytes=-0", Wanted::Nothing);
        assert_eq!(
            parse(Some(&HeaderValue::from_static("bytes=0-")), 0),
            Wanted::Nothing
        );
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for header in [
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-",
            "bytes=3-1",
            "bytes=+1-2",
            "bytes=1-2,x",
            "lines=1-2",
            "bytes 1-2",
            "bytes=1--2",
            "bytes=0x1-2",
        ] {
            check(header, Wanted::All);
        }
        assert_eq!(parse(None, 10), Wanted::All);
    }

    #[test]
    fn many_or_repeated_pieces_are_the_whole() {
        check("bytes=0-,0-", Wanted::All);
        check("bytes=0-5,4-9", Wanted::All);
        let many: Vec<String> = (0..17).map(|n| format!("{n}-{n}")).collect();
        let header = HeaderValue::try_from(format!("bytes={}", many.join(","))).unwrap();
        assert_eq!(parse(Some(&header), 100), Wanted::All);
    }
}
