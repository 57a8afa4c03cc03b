//! Who may call: from an allowed address, with the token, and not a web page.

use crate::comet::config::Access;
use greenwire_http::header::{AUTHORIZATION, ORIGIN};
use greenwire_http::{IntoResponse, Peer, Request, Response, StatusCode};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

impl Access {
    /// The answer for one who may not call.
    pub(super) fn refuse(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let address = Peer::of(request).and_then(Peer::ip);
        // A browser says whose page sends a POST. That page would act for whoever looks at it.
        if headers.contains_key(ORIGIN) || !self.allows(address) {
            let headers = [("content-type", "text/html")];
            return Some((StatusCode::NOT_FOUND, headers, "Nothing here buddy").into_response());
        }
        let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        if !self.is_token(given) {
            let headers = [("www-authenticate", "Bearer")];
            return Some(
                (StatusCode::UNAUTHORIZED, headers, "a token is needed\n").into_response(),
            );
        }
        None
    }

    fn allows(&self, address: Option<IpAddr>) -> bool {
        match address {
            _ if self.ips.is_empty() => self.token.is_some(),
            Some(address) => self.ips.contains(&address.to_canonical()),
            None => false,
        }
    }

    fn is_token(&self, given: Option<&[u8]>) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let given = given.and_then(|value| value.split_at_checked(BEARER.len()));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case(BEARER) && bool::from(token.as_bytes().ct_eq(given))
        })
    }
}

const BEARER: &[u8] = b"Bearer ";
