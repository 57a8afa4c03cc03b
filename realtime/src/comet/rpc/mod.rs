//! The JSON-RPC interface: by which a web application, in whatever language, makes clients and sends messages.
//! Versions 1.0, 1.1 (as Shaveet's own clients speak it) and 2.0, one call or a batch.

mod access;
mod methods;

#[cfg(test)]
mod tests;

use super::Comet;
use super::json;
use greenwire_http::{IntoResponse, Json, Method, Request, Response, StatusCode};
use methods::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

/// Never inlined, since polls wait below the caller.
#[inline(never)]
pub(super) fn answer(comet: &Comet, mut request: Request) -> Response {
    let config = &comet.shared.config;
    if let Some(refusal) = config.access.refuse(&request) {
        return refusal;
    }
    if request.method() != Method::POST {
        return wrong_method(&request);
    }
    let body = match request.body_mut().read_to_vec() {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let (status, body) = answer_text(comet, &body, config.max_batch);
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
    ];
    (status, headers, body).into_response()
}

fn wrong_method(request: &Request) -> Response {
    let text = format!(
        "405 Method Not Allowed. This JSONRPC interface only supports POST. Method used was \"{}\"",
        request.method()
    );
    let headers = [("allow", "POST")];
    (StatusCode::METHOD_NOT_ALLOWED, headers, text).into_response()
}

/// The answer to a body. Nothing but notifications is answered with nothing.
fn answer_text(comet: &Comet, body: &[u8], max_batch: usize) -> (StatusCode, String) {
    let reply = match Json::from_bytes(body) {
        Ok(Json(Value::Array(calls))) if (1..=max_batch).contains(&calls.len()) => {
            let replies = calls.iter().filter_map(|call| reply(comet, call));
            let replies: Vec<String> = replies.collect();
            (!replies.is_empty()).then(|| format!("[{}]", replies.join(", ")))
        }
        Ok(Json(Value::Array(_))) => Some(unreadable(&Fault::BadBatch { most: max_batch })),
        Ok(Json(call)) => reply(comet, &call),
        Err(_) => {
            let text = unreadable(&Fault::NoJson);
            return (StatusCode::BAD_REQUEST, text + "\n");
        }
    };
    match reply {
        Some(reply) => (StatusCode::OK, reply + "\n"),
        None => (StatusCode::NO_CONTENT, String::new()),
    }
}

/// The reply to one call, unless it wants none.
fn reply(comet: &Comet, call: &Value) -> Option<String> {
    let Value::Object(call) = call else {
        return Some(unreadable(&Fault::NoCall));
    };
    let id = call.get("id");
    let result = execute(comet, call);
    match version(call) {
        // A notification, unless it is not even a call.
        Version::V2 if id.is_none() && !matches!(result, Err(Fault::NoCall)) => None,
        Version::V2 => Some(reply_2(id.unwrap_or(&Value::Null), &result)),
        version => Some(reply_1(id.filter(|id| !id.is_null()), &result, version)),
    }
}

fn execute(comet: &Comet, call: &Map<String, Value>) -> Result<Value, Fault> {
    let method = call.get("method").and_then(Value::as_str);
    let method = method.ok_or(Fault::NoCall)?;
    methods::call(comet, method, call.get("params").unwrap_or(&Value::Null))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V1_0,
    /// What Shaveet answers: without an `error` beside a result.
    V1_1,
    V2,
}

fn version(call: &Map<String, Value>) -> Version {
    match (call.get("jsonrpc"), call.get("version")) {
        (Some(_), _) => Version::V2,
        (None, Some(_)) => Version::V1_1,
        (None, None) => Version::V1_0,
    }
}

#[derive(Serialize)]
struct Reply1<'a> {
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
}

fn reply_1(id: Option<&Value>, result: &Result<Value, Fault>, version: Version) -> String {
    let error = match result {
        Ok(_) => (version == Version::V1_0).then_some(Value::Null),
        Err(fault) => Some(serde_json::json!({
            "message": fault.to_string(),
            "type": fault.name(),
        })),
    };
    let result = result.as_ref().ok();
    json::to_string(&Reply1 { result, error, id })
}

#[derive(Serialize)]
struct Reply2<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    id: &'a Value,
}

fn reply_2(id: &Value, result: &Result<Value, Fault>) -> String {
    let error = result.as_ref().err();
    let error = error.map(|fault| {
        serde_json::json!({
            "code": fault.code(),
            "message": fault.to_string(),
        })
    });
    json::to_string(&Reply2 {
        jsonrpc: "2.0",
        result: result.as_ref().ok(),
        error,
        id,
    })
}

/// The reply to what is no call, by a version that cannot be told.
fn unreadable(fault: &Fault) -> String {
    reply_2(&Value::Null, &Err(fault.clone()))
}
