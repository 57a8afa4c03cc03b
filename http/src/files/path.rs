//! Which file a request's path names. No I/O.

use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The path below the root, relative, and whether it ends like a folder's. `None` for what names nothing.
///
/// Each segment is decoded by itself. One that then is empty, `.` or `..`, or that holds a slash, a backslash or
/// NUL, names nothing: so there is no second way to write a path, and none that leads up. What begins with a
/// dot is hidden, but for `.well-known` (RFC 8615), unless `shows_hidden`.
pub(super) fn resolve(path: &str, shows_hidden: bool) -> Option<(PathBuf, bool)> {
    let mut below = PathBuf::new();
    let path = path.strip_prefix('/')?;
    let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
    let is_folder = last.is_empty();
    let folders = folders.split('/').filter(|_| !folders.is_empty());
    for segment in folders.chain((!is_folder).then_some(last)) {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        let is_hidden = name.starts_with('.') && name != ".well-known" && !shows_hidden;
        let is_name = !["", ".", ".."].contains(&&*name) && !name.contains(['/', '\\', '\0']);
        if is_hidden || !is_name {
            return None;
        }
        below.push(&*name);
    }
    Some((below, is_folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<(&str, bool)>) {
        let expected = expected.map(|(below, is_folder)| (PathBuf::from(below), is_folder));
        assert_eq!(resolve(path, false), expected, "{path}");
    }

    #[test]
    fn plain_paths() {
        check("/", Some(("", true)));
        check("/a.txt", Some(("a.txt", false)));
        check("/a/b/c.txt", Some(("a/b/c.txt", false)));
        check("/a/", Some(("a", true)));
        check("/caf%C3%A9%20au%20lait", Some(("café au lait", false)));
        check("/a%3Fb%23", Some(("a?b#", false)));
        check("/.well-known/x", Some((".well-known/x", false)));
        check("/...", None);
    }

    #[test]
    fn nothing_leads_up_or_elsewhere() {
        for path in [
            "/..",
            "/../x",
            "/a/../x",
            "/a/..",
            "/%2e%2e/x",
            "/.%2E/x",
            "/%2E./",
            "/a/%2e%2e/%2e%2e/x",
            "/..%2fx",
            "/a%2Fb",
            "/..%5cx",
            "/a%5Cb",
            "/a\\b",
            "/a%00.txt",
            "//etc/passwd",
            "/a//b",
            "/./a",
            "/a/./b",
            "/%2e/a",
            "/%FF",
            "*",
            "",
            "a",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn it_is_decoded_once() {
        check("/%252e%252e/x", Some(("%2e%2e/x", false)));
    }

    #[test]
    fn hidden_files() {
        check("/.git/config", None);
        check("/a/.env", None);
        assert!(resolve("/a/.env", true).is_some());
        assert!(resolve("/a/../x", true).is_none());
    }
}
