//! JSON, as an answer and from elsewhere.

use super::typed;
use crate::{Error, IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep lists and objects may lie in one another. Reading them recurses, and nobody elsewhere is to say how much
/// of a stack that takes.
const DEEPEST: usize = 64;

/// A value as JSON: `application/json`. One that JSON cannot express, such as a map whose keys are no strings, is
/// logged and answered with 500.
///
/// ```
/// use greenwire_http::{Json, Request};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct User {
///     name: String,
/// }
///
/// fn user(_: Request) -> Json<User> {
///     Json(User { name: "Ann".into() })
/// }
/// # let _ = user;
/// ```
///
/// [`RequestExt::json`](crate::RequestExt::json) reads it, and [`from_bytes`](Json::from_bytes) what came otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> Json<T> {
    /// Reads JSON that came from elsewhere, such as a message of a websocket. Lists and objects may lie in one another
    /// 64 deep: enough for what people write, and little enough for the stack of a green thread.
    ///
    /// ```
    /// use greenwire_http::Json;
    ///
    /// let Json(numbers) = Json::<Vec<u32>>::from_bytes(b"[1, 2]")?;
    /// assert_eq!(numbers, [1, 2]);
    /// # Ok::<(), greenwire_http::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Json<T>, Error> {
        if is_deeper_than(DEEPEST, bytes) {
            return Err(Error::malformed("JSON", &"it is nested too deep"));
        }
        let value = serde_json::from_slice(bytes);
        value
            .map(Json)
            .map_err(|error| Error::malformed("JSON", &error))
    }
}

/// Whether reading it gets deeper than `limit`, at least as far as it is JSON.
fn is_deeper_than(limit: usize, json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'"' => in_text = !in_text,
            b'\\' => is_escaped = in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limit
    })
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => typed(bytes, "application/json"),
            Err(error) => {
                log::error!("handler's answer is no JSON: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_deeper_than;

    #[track_caller]
    fn check(json: &str, depth: usize) {
        assert!(!is_deeper_than(depth, json.as_bytes()), "{json}");
        assert!(depth == 0 || is_deeper_than(depth - 1, json.as_bytes()));
    }

    #[test]
    fn lists_and_objects_have_depth_and_texts_do_not() {
        check("", 0);
        check("17", 0);
        check("[]", 1);
        check("[[], {}, []]", 2);
        check(r#"{"a": [{}]}"#, 3);
        check(r#""[[{""#, 0);
        check(r#"["\"[[", "\\", ["]"]]"#, 2);
    }
}
