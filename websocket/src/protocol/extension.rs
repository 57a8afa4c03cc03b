//! Agreeing on permessage-deflate: the grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), and what
//! RFC 7692 §7.1 says about its four parameters.

use super::Role;
use super::deflate::Window;
use crate::Compression;
use std::fmt;

const NAME: &str = "permessage-deflate";

/// What both sides agreed on, as one of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) send: Window,
    pub(crate) receive: Window,
}

/// The parameters of an offer, or of the answer to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<ClientBits>,
}

/// A client may say that it can limit its window without saying to what (§7.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientBits {
    Any,
    AtMost(u8),
}

/// As a server: accepts the first offer in `headers` that can be, and gives the answer to it.
pub(crate) fn accept<'a>(
    headers: impl Iterator<Item = &'a str>,
    ours: &Compression,
) -> Option<(Agreement, String)> {
    let offer = extensions(headers)
        .filter(|(name, _)| name.eq_ignore_ascii_case(NAME))
        .find_map(|(_, parameters)| Parameters::parse(parameters))?;
    let limit = |bits: u8, offered: u8| (bits.min(offered) < 15).then_some(bits.min(offered));
    let answer = Parameters {
        server_no_context_takeover: offer.server_no_context_takeover || !ours.takeover,
        client_no_context_takeover: offer.client_no_context_takeover || !ours.takeover,
        server_max_window_bits: match offer.server_max_window_bits {
            Some(bits) => Some(bits.min(ours.send_bits)),
            None => limit(ours.send_bits, 15),
        },
        // A client that does not offer the parameter need not know it.
        client_max_window_bits: match offer.client_max_window_bits {
            Some(ClientBits::AtMost(bits)) => limit(ours.receive_bits, bits),
            Some(ClientBits::Any) => limit(ours.receive_bits, 15),
            None => None,
        }
        .map(ClientBits::AtMost),
    };
    Some((answer.agreement(Role::Server), answer.to_string()))
}

/// As a client: what to offer.
pub(crate) fn offer(ours: &Compression) -> String {
    Parameters::offer(ours).to_string()
}

/// As a client: what the server has made of the offer; an error if it took a liberty.
pub(crate) fn check_answer<'a>(
    headers: impl Iterator<Item = &'a str>,
    ours: Option<&Compression>,
) -> Result<Option<Agreement>, &'static str> {
    let mut answers = extensions(headers);
    let Some((name, parameters)) = answers.next() else {
        return Ok(None);
    };
    let Some(ours) = ours.filter(|_| name.eq_ignore_ascii_case(NAME) && answers.next().is_none())
    else {
        return Err("extension that was not offered");
    };
    let offer = Parameters::offer(ours);
    let answer = Parameters::parse(parameters).filter(|answer| answer.suits(&offer));
    let mut agreement = answer
        .ok_or("compression that was not offered")?
        .agreement(Role::Client);
    // A client may do with less than the server lets it have.
    agreement.send.bits = agreement.send.bits.min(ours.send_bits);
    agreement.send.takeover &= ours.takeover;
    Ok(Some(agreement))
}

impl Parameters {
    /// What a client asks for. It can always limit its own window.
    fn offer(ours: &Compression) -> Parameters {
        let limit = |bits: u8| (bits < 15).then_some(bits);
        Parameters {
            server_no_context_takeover: !ours.takeover,
            client_no_context_takeover: !ours.takeover,
            server_max_window_bits: limit(ours.receive_bits),
            client_max_window_bits: Some(
                limit(ours.send_bits).map_or(ClientBits::Any, ClientBits::AtMost),
            ),
        }
    }

    /// `None` for what §7 does not know: unknown names, bad values, a name twice.
    fn parse<'a>(
        parameters: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Option<Parameters> {
        let mut parsed = Parameters::default();
        for (name, value) in parameters {
            let new = match (name.to_ascii_lowercase().as_str(), value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut parsed.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut parsed.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(bits)) => {
                    let bits = window_bits(bits)?;
                    parsed.server_max_window_bits.replace(bits).is_none()
                }
                ("client_max_window_bits", bits) => {
                    let bits = match bits {
                        Some(bits) => ClientBits::AtMost(window_bits(bits)?),
                        None => ClientBits::Any,
                    };
                    parsed.client_max_window_bits.replace(bits).is_none()
                }
                _ => false,
            };
            if !new {
                return None;
            }
        }
        Some(parsed)
    }

    /// Whether a server may answer `offer` so.
    fn suits(&self, offer: &Parameters) -> bool {
        let takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        let server_bits = match (self.server_max_window_bits, offer.server_max_window_bits) {
            (Some(bits), Some(most)) => bits <= most,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let client_bits = match (self.client_max_window_bits, offer.client_max_window_bits) {
            (Some(ClientBits::AtMost(bits)), Some(ClientBits::AtMost(most))) => bits <= most,
            (Some(ClientBits::AtMost(_)), Some(ClientBits::Any)) | (None, _) => true,
            _ => false,
        };
        takeover && server_bits && client_bits
    }

    /// What an answer means for `role`.
    fn agreement(&self, role: Role) -> Agreement {
        let server = Window {
            bits: self.server_max_window_bits.unwrap_or(15),
            takeover: !self.server_no_context_takeover,
        };
        let client = Window {
            bits: match self.client_max_window_bits {
                Some(ClientBits::AtMost(bits)) => bits,
                _ => 15,
            },
            takeover: !self.client_no_context_takeover,
        };
        match role {
            Role::Server => Agreement {
                send: server,
                receive: client,
            },
            Role::Client => Agreement {
                send: client,
                receive: server,
            },
        }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        match self.client_max_window_bits {
            Some(ClientBits::AtMost(bits)) => write!(f, "; client_max_window_bits={bits}"),
            Some(ClientBits::Any) => f.write_str("; client_max_window_bits"),
            None => Ok(()),
        }
    }
}

/// 8 to 15, without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok()?;
    ((8..=15).contains(&bits) && !value.starts_with(['0', '+'])).then_some(bits)
}

/// The extensions that headers list, each with its parameters.
fn extensions<'a>(
    headers: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (&'a str, impl Iterator<Item = (&'a str, Option<&'a str>)>)> {
    headers
        .flat_map(|header| split(header, ','))
        .filter(|extension| !extension.is_empty())
        .map(|extension| {
            let mut parts = split(extension, ';');
            (parts.next().unwrap_or_default(), parts.map(parameter))
        })
}

/// The parts between separators that are outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .map(str::trim)
}

/// A name, and its value without quotes.
fn parameter(text: &str) -> (&str, Option<&str>) {
    let Some((name, value)) = text.split_once('=') else {
        return (text, None);
    };
    let value = value.trim();
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    (name.trim(), Some(unquoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(offers: &str, ours: Compression) -> Option<String> {
        accept([offers].into_iter(), &ours).map(|(_, answer)| answer)
    }

    #[track_caller]
    fn check(offers: &str, expected: Option<&str>) {
        let answer = answer(offers, Compression::dedicated());
        assert_eq!(answer.as_deref(), expected, "{offers}");
    }

    #[test]
    fn a_server_accepts_the_first_offer_that_it_understands() {
        check("permessage-deflate", Some("permessage-deflate"));
        check("x-webkit-deflate-frame", None);
        check("foo; x=\", permessage-deflate\"", None);
        check("foo, permessage-deflate;, bar", None);
        check("foo; x=1 , PerMessage-Deflate", Some("permessage-deflate"));
        check(
            "permessage-deflate; server_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover"),
        );
        check(
            "permessage-deflate; client_no_context_takeover; client_max_window_bits",
            Some("permessage-deflate; client_no_context_takeover"),
        );
        check(
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"12\"",
            Some("permessage-deflate; server_max_window_bits=10; client_max_window_bits=12"),
        );
        check(
            "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9",
            Some("permessage-deflate; server_max_window_bits=9"),
        );
    }

    #[test]
    fn a_server_declines_what_the_rfc_does_not_know() {
        for bad in [
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=09",
            "server_max_window_bits=+9",
            "client_max_window_bits=x",
            "client_max_window_bits; client_max_window_bits=9",
            "mode=fast",
        ] {
            check(&format!("permessage-deflate; {bad}"), None);
        }
    }

    #[test]
    fn a_server_asks_for_what_it_wants_itself() {
        let ours = Compression::shared().window_bits(11, 10);
        assert_eq!(
            answer("permessage-deflate; client_max_window_bits", ours).as_deref(),
            Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=11; client_max_window_bits=10"
            )
        );
        // A client that does not know the parameter must not be sent it.
        let (agreement, answer) = accept(["permessage-deflate"].into_iter(), &ours).unwrap();
        assert!(!answer.contains("client_max_window_bits"));
        assert_eq!((agreement.send.bits, agreement.receive.bits), (11, 15));
    }

    #[track_caller]
    fn check_client(ours: Compression, answer: &str, expected: Option<(Window, Window)>) {
        let agreement = check_answer([answer].into_iter(), Some(&ours));
        let windows = agreement.map(|agreement| agreement.map(|a| (a.send, a.receive)));
        assert_eq!(windows.ok().flatten(), expected, "{answer}");
    }

    #[test]
    fn a_client_takes_what_it_has_offered() {
        let window = |bits, takeover| Window { bits, takeover };
        let ours = Compression::dedicated();
        assert_eq!(offer(&ours), "permessage-deflate; client_max_window_bits");
        check_client(ours, "", None);
        let whole = window(15, true);
        check_client(ours, "permessage-deflate", Some((whole, whole)));
        check_client(
            ours,
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=8",
            Some((window(8, true), window(15, false))),
        );
        let shared = Compression::shared().window_bits(12, 11);
        let none = "server_no_context_takeover; client_no_context_takeover";
        assert_eq!(
            offer(&shared),
            format!(
                "permessage-deflate; {none}; server_max_window_bits=11; client_max_window_bits=12"
            )
        );
        check_client(
            shared,
            &format!("permessage-deflate; {none}; server_max_window_bits=9"),
            Some((window(12, false), window(9, false))),
        );
    }

    #[test]
    fn a_client_refuses_what_it_has_not_offered() {
        let refused = |ours: Option<Compression>, answer: &str| {
            assert!(
                check_answer([answer].into_iter(), ours.as_ref()).is_err(),
                "{answer}"
            );
        };
        refused(None, "permessage-deflate");
        let ours = Some(Compression::dedicated());
        refused(ours, "x-other");
        refused(ours, "permessage-deflate, permessage-deflate");
        refused(ours, "permessage-deflate; client_max_window_bits");
        refused(ours, "permessage-deflate; client_max_window_bits=16");
        refused(ours, "permessage-deflate; unknown");
        let limited = Some(Compression::shared().window_bits(10, 10));
        refused(limited, "permessage-deflate");
        refused(
            limited,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11",
        );
        refused(
            limited,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; \
             client_max_window_bits=11",
        );
    }
}
