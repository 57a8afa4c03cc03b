//! Whether a client's copy is still good: preconditions (RFC 9110 §13). No I/O.

use http::HeaderMap;
use http::header::{
    HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// By what a version of a file is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// A strong one, with its quotes.
    pub(super) etag: String,
    /// Whole seconds, as `Last-Modified` tells them.
    pub(super) modified: SystemTime,
}

/// What the preconditions of a request say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    /// The client has it: 304.
    NotModified,
    /// The client did not want this version: 412.
    Failed,
}

impl Version {
    pub(super) fn new(size: u64, modified: SystemTime) -> Version {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Version {
            etag: format!("\"{:x}-{size:x}\"", since.as_nanos()),
            modified: UNIX_EPOCH + Duration::from_secs(since.as_secs()),
        }
    }

    /// In the order of §13.2.2. Only `GET` and `HEAD` are asked for files, so 304 is always the right refusal
    /// for `If-None-Match`.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(IF_MATCH) {
            if !lists(headers, IF_MATCH).any(|tag| tag == "*" || tag == self.etag) {
                return Verdict::Failed;
            }
        } else if date_of(headers.get(IF_UNMODIFIED_SINCE)).is_some_and(|date| self.modified > date)
        {
            return Verdict::Failed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            if lists(headers, IF_NONE_MATCH).any(|tag| tag == "*" || self.is_weakly(tag)) {
                return Verdict::NotModified;
            }
        } else if date_of(headers.get(IF_MODIFIED_SINCE)).is_some_and(|date| self.modified <= date)
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// Whether a `Range` header counts: there is no `If-Range`, or it names this version (§13.1.5). A date is no
    /// strong validator, since a file may change twice in a second; but it is what some clients have.
    pub(super) fn allows_range(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(IF_RANGE) else {
            return true;
        };
        condition.as_bytes() == self.etag.as_bytes()
            || date_of(Some(condition)).is_some_and(|date| date == self.modified)
    }

    fn is_weakly(&self, tag: &str) -> bool {
        tag.strip_prefix("W/").unwrap_or(tag) == self.etag
    }
}

/// The entity tags of all headers of a name. Ours has no comma in it, so others may be cut at theirs.
fn lists(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',').map(str::trim))
}

/// A malformed date counts as none (§13.1.3).
fn date_of(value: Option<&HeaderValue>) -> Option<SystemTime> {
    httpdate::parse_http_date(value?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderName;

    const BEFORE: &str = "Thu, 01 Jan 1970 00:16:39 GMT";
    const THEN: &str = "Thu, 01 Jan 1970 00:16:40 GMT";

    fn version() -> Version {
        Version::new(16, UNIX_EPOCH + Duration::from_millis(1_000_500))
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    #[track_caller]
    fn check(pairs: &[(HeaderName, &'static str)], expected: Verdict) {
        assert_eq!(version().judge(&headers(pairs)), expected);
    }

    #[test]
    fn the_version_is_the_time_and_the_size() {
        let nanoseconds = 1_000_500_000_000_u64;
        assert_eq!(version().etag, format!("\"{nanoseconds:x}-10\""));
        assert_eq!(httpdate::fmt_http_date(version().modified), THEN);
    }

    #[test]
    fn none_match() {
        let etag: &'static str = version().etag.leak();
        let weak: &'static str = format!("\"x\", W/{etag}").leak();
        check(&[], Verdict::Proceed);
        check(&[(IF_NONE_MATCH, etag)], Verdict::NotModified);
        check(&[(IF_NONE_MATCH, weak)], Verdict::NotModified);
        check(&[(IF_NONE_MATCH, "*")], Verdict::NotModified);
        check(&[(IF_NONE_MATCH, "\"x\", y")], Verdict::Proceed);
        // The date counts only without tags.
        check(
            &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, THEN)],
            Verdict::Proceed,
        );
    }

    #[test]
    fn modified_since() {
        check(&[(IF_MODIFIED_SINCE, THEN)], Verdict::NotModified);
        check(&[(IF_MODIFIED_SINCE, BEFORE)], Verdict::Proceed);
        check(&[(IF_MODIFIED_SINCE, "yesterday")], Verdict::Proceed);
    }

    #[test]
    fn conditions_that_can_fail() {
        let etag: &'static str = version().etag.leak();
        let weak: &'static str = format!("W/{etag}").leak();
        check(&[(IF_MATCH, etag)], Verdict::Proceed);
        check(&[(IF_MATCH, "*")], Verdict::Proceed);
        check(&[(IF_MATCH, weak)], Verdict::Failed);
        check(&[(IF_MATCH, "\"x\"")], Verdict::Failed);
        check(&[(IF_UNMODIFIED_SINCE, THEN)], Verdict::Proceed);
        check(&[(IF_UNMODIFIED_SINCE, BEFORE)], Verdict::Failed);
        check(
            &[(IF_MATCH, etag), (IF_NONE_MATCH, etag)],
            Verdict::NotModified,
        );
    }

    #[test]
    fn a_range_counts_if_the_version_is_the_clients() {
        let etag: &'static str = version().etag.leak();
        let weak: &'static str = format!("W/{etag}").leak();
        let allows = |value| version().allows_range(&headers(&[(IF_RANGE, value)]));
        assert!(version().allows_range(&HeaderMap::new()));
        assert!(allows(etag) && allows(THEN));
        assert!(!allows(weak) && !allows("\"x\"") && !allows(BEFORE));
    }
}
