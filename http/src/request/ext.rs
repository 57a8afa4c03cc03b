//! What a handler asks a request for, beside what the `http` crate's type has: queries, forms, JSON, cookies.

use crate::forms::Multipart;
use crate::router::Params;
use crate::{Error, Json, Request};
use cookie::Cookie;
use http::header::{CONTENT_TYPE, COOKIE};
use serde::de::DeserializeOwned;

/// What a handler asks a [`Request`] for. It has methods of its own besides, such as `method`, `uri` and `headers`.
///
/// ```
/// use greenwire_http::{Error, Request, RequestExt};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Search {
///     words: String,
///     page: Option<u32>,
/// }
///
/// fn search(request: Request) -> Result<String, Error> {
///     let search: Search = request.query()?; // malformed: `?` answers 400
///     Ok(format!("page {} of {}", search.page.unwrap_or(1), search.words))
/// }
/// # let _ = search;
/// ```
pub trait RequestExt: sealed::Sealed {
    /// What the route `…/{name}` of a [`Router`](crate::Router) has caught, percent-decoded.
    fn param(&self, name: &str) -> Option<&str>;

    /// The query, `?name=value&…`, as a struct or map. Numbers and the like are parsed, and a field of type
    /// `Option` may be missing.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    fn query<T: DeserializeOwned>(&self) -> Result<T, Error>;

    /// The body of a form, `application/x-www-form-urlencoded`, as a struct or map. For forms with files see
    /// [`multipart`](RequestExt::multipart).
    ///
    /// # Errors
    /// [`Error::UnsupportedType`], [`Error::Malformed`], and those of [`Body::read_to_vec`](crate::Body::read_to_vec).
    fn form<T: DeserializeOwned>(&mut self) -> Result<T, Error>;

    /// The body of a form with files, `multipart/form-data`, field by field. The request keeps an empty body.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`], and [`Error::Malformed`] without a boundary.
    fn multipart(&mut self) -> Result<Multipart, Error>;

    /// The body as JSON, of the type `application/json` or `application/…+json`, nested
    /// [64 deep](crate::Json::from_bytes) at most.
    ///
    /// # Errors
    /// As [`form`](RequestExt::form).
    fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error>;

    /// All cookies, percent-decoded. Those that are malformed are left out.
    fn cookies(&self) -> impl Iterator<Item = Cookie<'_>>;

    /// The value of the first cookie of this name.
    fn cookie(&self, name: &str) -> Option<String> {
        let mut cookies = self.cookies();
        let found = cookies.find(|cookie| cookie.name() == name);
        found.map(|cookie| cookie.value().to_owned())
    }
}

impl RequestExt for Request {
    fn param(&self, name: &str) -> Option<&str> {
        self.extensions().get::<Params>()?.get(name)
    }

    fn query<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let query = self.uri().query().unwrap_or_default();
        serde_urlencoded::from_str(query).map_err(|error| Error::malformed("query", &error))
    }

    fn form<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let expected = "application/x-www-form-urlencoded";
        expect_type(self, expected, |media| media == expected)?;
        let bytes = self.body_mut().read_to_vec()?;
        serde_urlencoded::from_bytes(&bytes).map_err(|error| Error::malformed("form", &error))
    }

    fn multipart(&mut self) -> Result<Multipart, Error> {
        Multipart::new(self)
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        expect_type(self, "application/json", |media| {
            media == "application/json"
                || (media.starts_with("application/") && media.ends_with("+json"))
        })?;
        let bytes = self.body_mut().read_to_vec()?;
        Json::from_bytes(&bytes).map(|Json(value)| value)
    }

    fn cookies(&self) -> impl Iterator<Item = Cookie<'_>> {
        let values = self.headers().get_all(COOKIE).into_iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.flat_map(|text| Cookie::split_parse_encoded(text).filter_map(Result::ok))
    }
}

/// Refuses a body whose type, without parameters and in lower case, is not `allowed`.
fn expect_type(
    request: &Request,
    expected: &'static str,
    allowed: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let text = content_type.and_then(|value| value.to_str().ok());
    let media = text.and_then(|text| text.split(';').next());
    let media = media.unwrap_or_default().trim().to_ascii_lowercase();
    if allowed(&media) {
        Ok(())
    } else {
        Err(Error::UnsupportedType { expected })
    }
}

mod sealed {
    /// Only [`Request`](crate::Request) is one.
    pub trait Sealed {}
    impl Sealed for crate::Request {}
}
