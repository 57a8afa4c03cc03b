//! JSON as an answer.

use super::typed;
use crate::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

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
/// [`RequestExt::json`](crate::RequestExt::json) reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

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
