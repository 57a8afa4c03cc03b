//! How each transport over HTTP wraps frames up.

use super::json::quote;
use std::borrow::Cow;

/// A transport over HTTP, as far as its bytes are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Xhr,
    XhrStreaming,
    EventSource,
    /// With the function that the page has to call.
    HtmlFile(String),
    Jsonp(String),
}

impl Wrapping {
    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Wrapping::EventSource => "text/event-stream",
            Wrapping::HtmlFile(_) => "text/html; charset=UTF-8",
            _ => "application/javascript; charset=UTF-8",
        }
    }

    /// Whether a response goes on after its first frame.
    pub(crate) fn is_streaming(&self) -> bool {
        !matches!(self, Wrapping::Xhr | Wrapping::Jsonp(_))
    }

    /// What comes before the first frame of a stream, so that browsers begin to read.
    pub(crate) fn prelude(&self) -> Cow<'static, [u8]> {
        match self {
            Wrapping::Xhr | Wrapping::Jsonp(_) => Cow::Borrowed(b""),
            Wrapping::XhrStreaming => {
                let mut prelude = vec![b'h'; 2048];
                prelude.push(b'\n');
                prelude.into()
            }
            Wrapping::EventSource => Cow::Borrowed(b"\r\n"),
            Wrapping::HtmlFile(callback) => html_head(callback).into_bytes().into(),
        }
    }

    pub(crate) fn wrap(&self, mut frame: String) -> String {
        match self {
            Wrapping::Xhr | Wrapping::XhrStreaming => {
                frame.push('\n');
                frame
            }
            // Clients undo percent-encoding here. There are no line ends to encode: in strings they are escaped.
            Wrapping::EventSource => format!("data: {}\r\n\r\n", frame.replace('%', "%25")),
            Wrapping::HtmlFile(_) => {
                // A message must not be able to end the script.
                let argument = quoted(&frame).replace('<', "\\u003c");
                format!("<script>\np({argument});\n</script>\r\n")
            }
            // The comment keeps the body from beginning with what the client chose.
            Wrapping::Jsonp(callback) => format!("/**/{callback}({});\r\n", quoted(&frame)),
        }
    }
}

fn quoted(frame: &str) -> String {
    let mut quoted = String::with_capacity(frame.len() + 16);
    quote(frame, &mut quoted);
    quoted
}

/// Longer than the 1 KiB that some browsers wait for.
fn html_head(callback: &str) -> String {
    let page = format!(
        r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.{callback};
    c.start();
    function p(d) {{c.message(d);}};
    window.onload = function() {{c.stop();}};
  </script>"#
    );
    format!("{page:<1024}\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_in_each_transport() {
        let frame = r#"a["100%</script>"]"#;
        let rows = [
            (Wrapping::Xhr, "a[\"100%</script>\"]\n"),
            (Wrapping::XhrStreaming, "a[\"100%</script>\"]\n"),
            (
                Wrapping::EventSource,
                "data: a[\"100%25</script>\"]\r\n\r\n",
            ),
            (
                Wrapping::HtmlFile("f".into()),
                "<script>\np(\"a[\\\"100%\\u003c/script>\\\"]\");\n</script>\r\n",
            ),
            (
                Wrapping::Jsonp("f".into()),
                "/**/f(\"a[\\\"100%</script>\\\"]\");\r\n",
            ),
        ];
        for (wrapping, expected) in rows {
            assert_eq!(wrapping.wrap(frame.to_owned()), expected, "{wrapping:?}");
        }
    }

    #[test]
    fn browsers_begin_to_read_at_once() {
        assert_eq!(Wrapping::Xhr.prelude().len(), 0);
        assert_eq!(Wrapping::XhrStreaming.prelude().len(), 2049);
        assert_eq!(*Wrapping::EventSource.prelude(), *b"\r\n");
        assert!(Wrapping::HtmlFile("f".into()).prelude().len() > 1024);
    }
}
