//! What a client gets without a session: the greeting, the information, the page for frames.

use super::{Config, Transport, headers};
use greenwire_http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use greenwire_http::{Body, HeaderValue, IntoResponse, Request, Response, StatusCode};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) const PLAIN: &str = "text/plain; charset=UTF-8";
const JSON: &str = "application/json; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";

pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) fn greeting() -> Response {
    answer(StatusCode::OK, PLAIN, "Welcome to SockJS!\n")
}

/// What a client asks first: which transports it may try, and some entropy, of which old browsers have little.
pub(super) fn info(config: &Config) -> Response {
    let Ok(entropy) = getrandom::u32() else {
        log::error!("sockjs: the system gives no random bytes");
        return answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            PLAIN,
            "internal server error",
        );
    };
    let websocket = config.allows(Transport::Websocket);
    let cookie = config.cookie;
    let body = format!(
        r#"{{"websocket":{websocket},"cookie_needed":{cookie},"origins":["*:*"],"entropy":{entropy}}}"#
    );
    let mut response = answer(StatusCode::OK, JSON, body);
    headers::forbid_keeping(response.headers_mut());
    response
}

/// The page that a client of another site loads into a frame, to speak from within this one.
pub(super) fn iframe(config: &Config, request: &Request) -> Response {
    let page = page_for_frames(&config.client_url);
    let tag = tag_of(&page);
    let mut wanted = request.headers().get_all(IF_NONE_MATCH).into_iter();
    let known = wanted.any(|tags| tags.to_str().is_ok_and(|tags| tags.contains(&tag)));
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer(StatusCode::OK, HTML, page),
    };
    headers::let_keep(response.headers_mut());
    let tag = HeaderValue::try_from(tag).ok();
    response.headers_mut().extend(tag.map(|tag| (ETAG, tag)));
    response
}

fn tag_of(page: &str) -> String {
    let mut hasher = DefaultHasher::new();
    page.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn page_for_frames(client_url: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="{client_url}"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>
"#
    )
}
