//! JSONP: an answer that is a script, which calls a function of the page.

/// The longest name of a function.
const LONGEST: usize = 128;

/// Whether this can only be the name of a function, and no other script: letters, digits, `_`, `-` and `.`.
pub(crate) fn is_callback(name: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_-.".contains(&c);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_callback;

    #[test]
    fn only_names_are_callbacks() {
        for name in ["cb", "noop", "jQuery123_456", "a.b-c", &"x".repeat(128)] {
            assert!(is_callback(name), "{name}");
        }
        for name in [
            "",
            "a b",
            "alert(1)//",
            "a;b",
            "<b>",
            "é",
            "a\n",
            "a[0]",
            &"x".repeat(129),
        ] {
            assert!(!is_callback(name), "{name}");
        }
    }
}
