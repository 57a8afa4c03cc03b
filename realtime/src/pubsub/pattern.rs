//! Which topics a pattern means. Does no I/O.

/// Whether `name` is what the pattern describes, byte by byte, by Redis's rules (its `PSUBSCRIBE`).
///
/// Takes time in proportion to the product of both lengths at worst, whatever the pattern.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, name);
    // After the latest `*`: the pattern behind it, and what of the name it does not cover yet.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match step(rest, left) {
            Step::Star(behind) => {
                star = Some((behind, left));
                rest = behind;
            }
            Step::Same(behind) => (rest, left) = (behind, &left[1..]),
            Step::End => return true,
            Step::Differs => match star {
                // The star covers one byte more, and all behind it is tried again. An earlier star
                // need not: it could only lead to the same place.
                Some((behind, [_, uncovered @ ..])) => {
                    star = Some((behind, uncovered));
                    (rest, left) = (behind, uncovered);
                }
                _ => return false,
            },
        }
    }
}

/// What the beginnings of a pattern and a name have to do with each other.
enum Step<'a> {
    /// The pattern begins with a star, and this is behind it.
    Star(&'a [u8]),
    /// The first byte is right; then this follows in the pattern.
    Same(&'a [u8]),
    /// Both are at their ends.
    End,
    Differs,
}

fn step<'a>(pattern: &'a [u8], name: &[u8]) -> Step<'a> {
    let (is_right, behind) = match (pattern, name) {
        ([b'*', behind @ ..], _) => return Step::Star(behind),
        ([], []) => return Step::End,
        ([], _) | (_, []) => return Step::Differs,
        ([b'?', behind @ ..], _) => (true, behind),
        ([b'[', class @ ..], [byte, ..]) => in_class(class, *byte),
        ([b'\\', literal, behind @ ..], [byte, ..]) => (literal == byte, behind),
        ([literal, behind @ ..], [byte, ..]) => (literal == byte, behind),
    };
    match is_right {
        true => Step::Same(behind),
        false => Step::Differs,
    }
}

/// Whether the class whose `[` was read contains the byte, and what follows its `]`. A class without an
/// end goes to the end of the pattern.
fn in_class(class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (is_negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut contains = false;
    loop {
        rest = match rest {
            [] => return (contains != is_negated, rest),
            [b']', behind @ ..] => return (contains != is_negated, behind),
            [b'\\', literal, behind @ ..] => {
                contains |= *literal == byte;
                behind
            }
            [one, b'-', other, behind @ ..] => {
                contains |= (*one.min(other)..=*one.max(other)).contains(&byte);
                behind
            }
            [literal, behind @ ..] => {
                contains |= *literal == byte;
                behind
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[track_caller]
    fn check(pattern: &str, right: &[&str], wrong: &[&str]) {
        for name in right {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{name}");
        }
        for name in wrong {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_name_means_itself() {
        check("news", &["news"], &["", "new", "newss", "News", "ewss"]);
        check("", &[""], &["a"]);
    }

    #[test]
    fn a_star_is_any_text() {
        check("*", &["", "a", "a.b.c"], &[]);
        check(
            "room.*",
            &["room.", "room.7", "room.7.8"],
            &["room", "rooms.7"],
        );
        check("*.7", &[".7", "room.7", "a.7.7"], &["room.77", "7"]);
        check(
            "a*b*c",
            &["abc", "aXbYc", "abcbc", "abbcc"],
            &["ab", "acb", "abcX"],
        );
        check("**a", &["a", "ba"], &["ab"]);
    }

    #[test]
    fn a_question_mark_is_one_byte() {
        check("h?llo", &["hello", "hallo", "h?llo"], &["hllo", "heello"]);
        check("??", &["ab", "é"], &["a", "abc"]);
    }

    #[test]
    fn brackets_are_one_of_a_class() {
        check(
            "h[ae]llo",
            &["hello", "hallo"],
            &["hillo", "hllo", "haello"],
        );
        check("h[^e]llo", &["hallo", "h^llo"], &["hello", "hllo"]);
        check("[a-c]x", &["ax", "bx", "cx"], &["dx", "-x"]);
        check("[c-a]x", &["ax", "bx", "cx"], &["dx"]);
        check("[a-]", &["a", "_", "]"], &["-", "b"]); // from `]` to `a`, and without an end
        check(r"[\]\-]", &["]", "-"], &["\\", "a"]);
        check("[]x", &[], &["x", "]x", ""]);
        check("[^]x", &["ax"], &["x"]);
    }

    #[test]
    fn a_backslash_takes_the_meaning_away() {
        check(r"\*", &["*"], &["a", r"\*", ""]);
        check(r"a\?", &["a?"], &["ab"]);
        check(r"\[a]", &["[a]"], &["a"]);
        check(r"a\", &[r"a\"], &["a", "ab"]);
    }

    #[test]
    fn a_class_without_an_end_ends_with_the_pattern() {
        check("[ab", &["a", "b"], &["c", "[ab"]);
        check("[", &[], &["[", "a", ""]);
    }

    #[test]
    fn many_stars_do_not_take_long() {
        let pattern = "*a".repeat(100) + "b";
        check(&pattern, &[], &[&"a".repeat(10_000)]);
    }
}
