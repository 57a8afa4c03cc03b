//! What the braces of a route have caught.

use percent_encoding::percent_decode_str;

/// The parameters of the routes by which a request came to its handler, percent-decoded; in the request's
/// extensions, and by [`RequestExt::param`](crate::RequestExt::param).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// A parameter is not UTF-8.
pub(super) struct Undecodable;

impl Params {
    /// What the route `…/{name}` has caught. Of routers within each other the inner one counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut latest_first = self.iter().rev();
        let found = latest_first.find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// All names and values, in the order of the path.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), Undecodable> {
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| Undecodable)?.into_owned();
        self.0.push((name.to_owned(), value));
        Ok(())
    }
}
