//! Who asks, as the proxies in front of a server tell it (RFC 7239). No I/O.

use http::{HeaderMap, header};
use ipnet::IpNet;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The proxies in front of a server whose word about the client counts: see
/// [`Config::proxies`](crate::Config::proxies).
///
/// They are told by their addresses, and which headers they set, since a client can set the others:
/// nothing but these is looked at, and only if it comes from such an address. Each proxy must append to
/// the header, or replace it. The client is the first address, counted from the end, that is not a
/// proxy's.
#[derive(Clone, Debug)]
pub struct Proxies {
    header: Header,
    networks: Vec<IpNet>,
}

/// Who sets what.
#[derive(Clone, Copy, Debug)]
enum Header {
    /// `Forwarded`.
    Standard,
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    Customary,
}

/// What proxies tell of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) ip: Option<IpAddr>,
    pub(crate) proto: Option<String>,
    pub(crate) host: Option<String>,
}

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";
const X_FORWARDED_HOST: &str = "x-forwarded-host";

impl Proxies {
    /// Proxies that set `Forwarded` (RFC 7239), at these addresses or networks: `127.0.0.1`,
    /// `10.0.0.0/8`, `fd00::/8`.
    ///
    /// # Errors
    /// `InvalidInput`, with a text that names what is no address.
    pub fn forwarded<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> io::Result<Proxies> {
        Proxies::new(Header::Standard, networks)
    }

    /// Proxies that set `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`, at these
    /// addresses or networks.
    ///
    /// # Errors
    /// As [`forwarded`](Proxies::forwarded).
    pub fn x_forwarded<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> io::Result<Proxies> {
        Proxies::new(Header::Customary, networks)
    }

    fn new<N: AsRef<str>>(
        header: Header,
        networks: impl IntoIterator<Item = N>,
    ) -> io::Result<Proxies> {
        let networks = networks.into_iter().map(|text| network(text.as_ref()));
        Ok(Proxies {
            header,
            networks: networks.collect::<io::Result<_>>()?,
        })
    }

    /// What the proxies tell, if the request comes from one: from an address of theirs, or by a Unix
    /// socket, to which only who may has access.
    pub(crate) fn ask(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Told> {
        if peer.is_some_and(|ip| !self.trusts(ip)) {
            return None;
        }
        match self.header {
            Header::Standard => self.standard(headers),
            Header::Customary => self.customary(headers),
        }
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.contains(&ip))
    }

    /// The last hop before the proxies, of hops with the nearest first.
    fn client<H>(
        &self,
        hops: impl Iterator<Item = H>,
        ip: impl Fn(&H) -> Option<IpAddr>,
    ) -> Option<H> {
        let mut last = None;
        for hop in hops {
            let trusted = ip(&hop).is_some_and(|ip| self.trusts(ip));
            last = Some(hop);
            if !trusted {
                break;
            }
        }
        last
    }

    fn standard(&self, headers: &HeaderMap) -> Option<Told> {
        let lines = headers.get_all(header::FORWARDED).iter().rev();
        let hops = lines.flat_map(|line| elements(line.to_str().unwrap_or("\"")).into_iter().rev());
        self.client(hops, |hop| hop.ip)
    }

    fn customary(&self, headers: &HeaderMap) -> Option<Told> {
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let client = self.client(hops.map(address), |ip| *ip)?;
        Some(Told {
            ip: client,
            proto: last(headers, X_FORWARDED_PROTO),
            host: last(headers, X_FORWARDED_HOST),
        })
    }
}

fn network(text: &str) -> io::Result<IpNet> {
    let single = text.parse::<IpAddr>().map(IpNet::from);
    single.or_else(|_| text.parse()).map_err(|_| {
        let message = format!("{text:?} is neither an IP address nor a network");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

/// What the nearest proxy has set.
fn last(headers: &HeaderMap, name: &str) -> Option<String> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(|text| text.trim().to_owned())
}

/// The elements of one line of `Forwarded`, each by a proxy. Of a line whose quotes are not closed nobody
/// knows what a client began, and a proxy has gone on with: it is one element that tells nothing.
fn elements(line: &str) -> Vec<Told> {
    match split(line, ',') {
        Some(elements) => elements.into_iter().map(element).collect(),
        None => vec![Told::default()],
    }
}

fn element(text: &str) -> Told {
    let mut told = Told::default();
    for pair in split(text, ';').unwrap_or_default() {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = unquote(value.trim());
        match &*name.trim().to_ascii_lowercase() {
            "for" => told.ip = address(&value),
            "proto" => told.proto = Some(value),
            "host" => told.host = Some(value),
            _ => {}
        }
    }
    told
}

/// Splits outside of quoted strings; `None` if one is not closed.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|c| {
        let plain = !std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && plain => escaped = true,
            '"' if plain => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    });
    let parts = parts.collect();
    (!quoted).then_some(parts)
}

fn unquote(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut escaped = false;
    let kept = inner.chars().filter(|&c| {
        escaped = c == '\\' && !escaped;
        !escaped
    });
    kept.collect()
}

/// An address, with a port or without, IPv6 in brackets or bare; `None` for `unknown` and the like.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|addr: SocketAddr| addr.ip());
    let in_brackets = || -> Option<IpAddr> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    let bare = text.parse().ok();
    bare.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(proxies: &Proxies, peer: &str, headers: &[(&'static str, &str)], expected: &str) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let told = match proxies.ask(peer.parse().ok(), &map) {
            None => "nothing".to_owned(),
            Some(Told { ip, proto, host }) => {
                let ip = ip.map_or("unknown".to_owned(), |ip| ip.to_string());
                format!(
                    "{ip} {} {}",
                    proto.unwrap_or_default(),
                    host.unwrap_or_default()
                )
            }
        };
        assert_eq!(told.trim_end(), expected, "{headers:?}");
    }

    #[test]
    fn the_standard_header() {
        let proxies = Proxies::forwarded(["10.0.0.0/8", "::1"]).unwrap();
        let check = |peer: &str, value: &str, expected: &str| {
            check(&proxies, peer, &[("forwarded", value)], expected);
        };
        check("10.0.0.1", "for=1.2.3.4", "1.2.3.4");
        check("::ffff:10.0.0.1", "for=1.2.3.4", "1.2.3.4");
        check(
            "::1",
            "For=\"[2001:db8::1]:80\";proto=https;host=a.b",
            "2001:db8::1 https a.b",
        );
        check(
            "10.0.0.1",
            "for=9.9.9.9, for=1.2.3.4;proto=https , for=10.0.0.2;proto=http",
            "1.2.3.4 https",
        );
        check("10.0.0.1", "for=10.0.0.3, for=10.0.0.2", "10.0.0.3");
        check("10.0.0.1", "for=1.2.3.4, for=unknown", "unknown");
        check("10.0.0.1", "for=1.2.3.4, for=\"_secret\"", "unknown");
        check("10.0.0.1", "for=1.2.3.4;by=\"a,b;c\\\"\"", "1.2.3.4");
        check("10.0.0.1", "for=6.6.6.6;x=\", for=1.2.3.4", "unknown");
        check("10.0.0.1", "", "unknown");
        check("11.0.0.1", "for=1.2.3.4", "nothing");
        check("a Unix socket", "for=1.2.3.4", "1.2.3.4");
    }

    #[test]
    fn the_customary_headers() {
        let proxies = Proxies::x_forwarded(["10.0.0.1"]).unwrap();
        let forwarded_for = ("x-forwarded-for", "9.9.9.9, 1.2.3.4");
        check(&proxies, "10.0.0.1", &[forwarded_for], "1.2.3.4");
        check(&proxies, "10.0.0.2", &[forwarded_for], "nothing");
        check(
            &proxies,
            "10.0.0.1",
            &[
                forwarded_for,
                ("x-forwarded-for", "2001:db8::1,10.0.0.1"),
                ("x-forwarded-proto", "http, https"),
                ("x-forwarded-host", "a.b"),
            ],
            "2001:db8::1 https a.b",
        );
        check(
            &proxies,
            "10.0.0.1",
            &[("forwarded", "for=1.2.3.4")],
            "nothing",
        );
    }

    #[test]
    fn lines_come_in_the_order_of_the_hops() {
        let proxies = Proxies::forwarded(["10.0.0.0/8"]).unwrap();
        let lines = [
            ("forwarded", "for=\"6.6.6.6"),
            ("forwarded", "for=1.2.3.4, for=10.0.0.9"),
        ];
        check(&proxies, "10.0.0.1", &lines, "1.2.3.4");
    }

    #[test]
    fn what_is_no_network() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80"] {
            let error = Proxies::forwarded([text]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(text));
        }
    }
}
