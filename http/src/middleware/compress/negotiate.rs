//! Which coding a client wants (RFC 9110 §12.5.3). No I/O.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A coding that we can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// zlib's format, which is what the name means (§8.4.1.2).
    Deflate,
}

impl Coding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }

    /// The one that the client likes most; of equals gzip, which no client gets wrong. `None` for as it is.
    pub(super) fn choose(headers: &HeaderMap) -> Option<Coding> {
        let [gzip, deflate, identity] = weights(headers);
        let (coding, weight) = match deflate > gzip {
            true => (Coding::Deflate, deflate),
            false => (Coding::Gzip, gzip),
        };
        (weight > 0 && weight >= identity).then_some(coding)
    }
}

/// How much the client likes gzip, deflate, and the bytes as they are, in thousandths.
fn weights(headers: &HeaderMap) -> [u16; 3] {
    let mut weights = [None; 3];
    let mut others = None;
    let values = headers.get_all(ACCEPT_ENCODING).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    for item in texts.flat_map(|text| text.split(',')) {
        let (name, weight) = parse_item(item);
        match &*name {
            "gzip" | "x-gzip" => weights[0] = Some(weight),
            "deflate" => weights[1] = Some(weight),
            "identity" => weights[2] = Some(weight),
            "*" => others = Some(weight),
            _ => {}
        }
    }
    let [gzip, deflate, identity] = weights;
    let other = others.unwrap_or(0);
    // As they are is what everybody takes; but whoever names a coding would rather have that.
    [
        gzip.unwrap_or(other),
        deflate.unwrap_or(other),
        identity.unwrap_or(0),
    ]
}

/// `name;q=0.5`. A weight that is malformed is none at all.
fn parse_item(item: &str) -> (String, u16) {
    let (name, parameters) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight = parameters.trim().strip_prefix(['q', 'Q']);
    let weight = weight.and_then(|rest| rest.trim_start().strip_prefix('='));
    let weight = weight.and_then(|number| number.trim().parse::<f32>().ok());
    let weight = weight.filter(|weight| (0.0..=1.0).contains(weight));
    let thousandths = (weight.unwrap_or(0.0) * 1000.0).round() as u16;
    (name.trim().to_ascii_lowercase(), thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(header: &'static str, expected: Option<Coding>) {
        let pair = (ACCEPT_ENCODING, HeaderValue::from_static(header));
        assert_eq!(Coding::choose(&HeaderMap::from_iter([pair])), expected);
    }

    #[test]
    fn the_most_liked_coding_is_chosen() {
        let (gzip, deflate) = (Some(Coding::Gzip), Some(Coding::Deflate));
        assert_eq!(Coding::choose(&HeaderMap::new()), None);
        check("", None);
        check("gzip", gzip);
        check("x-GZIP", gzip);
        check("deflate", deflate);
        check("deflate, gzip, br", gzip);
        check("gzip;q=0.5, deflate;q=0.8", deflate);
        check("gzip; q=0.001", gzip);
        check("*", gzip);
        check("*, gzip;q=0", deflate);
        check("*;q=0", None);
        check("br", None);
    }

    #[test]
    fn what_is_not_liked_is_not_chosen() {
        check("gzip;q=0", None);
        check("gzip;q=0.5, identity", None);
        check("identity", None);
        check("gzip;q=2", None);
        check("gzip;q=x", None);
        check("gzip;q=-1", None);
        check("gzip;x=y", None);
        check("gzip;q=NaN", None);
    }
}
