//! Static files: a handler for a folder, and a file as an answer.

mod body;
mod conditional;
mod path;
mod range;

use crate::{Handler, IntoResponse, Request, Response};
use body::Pieces;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use conditional::{Verdict, Version};
use greenwire_runtime::unblock;
use http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    LAST_MODIFIED, LOCATION, RANGE,
};
use http::request::Parts;
use http::{Method, StatusCode};
use range::Wanted;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Serves the files of a folder.
///
/// ```no_run
/// use greenwire_http::{Router, Server, files::Files};
///
/// fn main() -> std::io::Result<()> {
///     let app = Router::new()
///         .get("/", |_| "the files are at /static/")
///         .mount("/static", Files::new("public")?);
///     Server::bind("127.0.0.1:8080")?.serve_handler(app)
/// }
/// ```
///
/// * `GET` and `HEAD`; others get 405.
/// * A folder is answered with its `index.html`, and its path is completed with `/` by a redirect. There are no
///   listings.
/// * The type is guessed from the name; text is said to be UTF-8.
/// * `ETag` (size and time of the last change), `Last-Modified`, and all preconditions of RFC 9110 §13; ranges, also
///   several of them (§14), as long as there are no more than 16 and they are not more than the file.
/// * It runs on the pool of [`unblock`], so a slow disk holds up nobody else. Files of up to 64 KiB
///   are read at once, larger ones by and by, as fast as the client takes them. A file that shrinks meanwhile cuts
///   the connection.
///
/// # Nothing outside of the folder
///
/// The folder is opened once; what it is called later does not matter. Paths with `..`, also encoded, with encoded
/// slashes, empty segments or NUL name nothing. Symbolic links are followed as long as they stay in the folder,
/// however they are changed meanwhile: `cap-std` sees to it, on Linux with `openat2(2)`. What leads out is answered
/// with 404, as what does not exist, what may not be read, and what is no regular file. Hidden files, whose names
/// begin with a dot, are not served, unless [`hidden`](Files::hidden) says so.
#[derive(Clone, Debug)]
#[must_use]
pub struct Files {
    root: Arc<Dir>,
    shows_hidden: bool,
}

/// A file that was found, with what is known of it.
struct Found {
    file: File,
    size: u64,
    version: Version,
    content_type: String,
}

impl Files {
    /// Opens the folder.
    ///
    /// # Errors
    /// The system's: there is no such folder, or it may not be read.
    pub fn new(folder: impl AsRef<Path>) -> io::Result<Files> {
        let folder = folder.as_ref().to_owned();
        let root = unblock(move || Dir::open_ambient_dir(folder, ambient_authority()))?;
        Ok(Files {
            root: Arc::new(root),
            shows_hidden: false,
        })
    }

    /// Whether to serve files and folders whose names begin with a dot. Default: no, but for `.well-known`, since
    /// what is hidden is often secret: `.git`, `.env`.
    pub fn hidden(mut self, shows_hidden: bool) -> Files {
        self.shows_hidden = shows_hidden;
        self
    }
}

impl Handler for Files {
    fn call(&self, request: Request) -> Response {
        let (parts, _body) = request.into_parts();
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return not_allowed();
        }
        let Some((below, is_folder)) = path::resolve(parts.uri.path(), self.shows_hidden) else {
            return not_found();
        };
        let root = Arc::clone(&self.root);
        unblock(move || match find(&root, &below, is_folder) {
            Ok(Some(found)) => answer(found, &parts).unwrap_or_else(refuse),
            Ok(None) => complete_path(parts.uri.path()),
            Err(error) => refuse(error),
        })
    }
}

/// The file at a path. `None` for a folder whose path lacks its last slash.
fn find(root: &Dir, below: &Path, is_folder: bool) -> io::Result<Option<Found>> {
    let index = below.join("index.html");
    let below = if is_folder { &index } else { below };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let metadata = root.metadata(below)?;
    if metadata.is_dir() && !is_folder {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = root.open(below)?.into_std();
    let metadata = file.metadata()?;
    Ok(Some(Found {
        size: metadata.len(),
        version: version_of(&metadata)?,
        content_type: content_type(below),
        file,
    }))
}

fn version_of(metadata: &Metadata) -> io::Result<Version> {
    Ok(Version::new(metadata.len(), metadata.modified()?))
}

/// By the name's extension.
fn content_type(path: &Path) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let is_text = mime.type_() == "text" && mime.get_param("charset").is_none();
    format!("{mime}{}", if is_text { "; charset=utf-8" } else { "" })
}

fn answer(found: Found, parts: &Parts) -> io::Result<Response> {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(ETAG, text(found.version.etag.clone()));
    let modified = httpdate::fmt_http_date(found.version.modified);
    headers.insert(LAST_MODIFIED, text(modified));
    let status = match found.version.judge(&parts.headers) {
        Verdict::Proceed => return send(found, parts, response),
        Verdict::NotModified => StatusCode::NOT_MODIFIED,
        Verdict::Failed => StatusCode::PRECONDITION_FAILED,
    };
    *response.status_mut() = status;
    Ok(response)
}

/// Adds the body, or the pieces of it that are wanted.
fn send(found: Found, parts: &Parts, mut response: Response) -> io::Result<Response> {
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let Found {
        file,
        size,
        mut content_type,
        ..
    } = found;
    let (status, pieces) = match wanted(&found.version, size, parts) {
        Wanted::All => (StatusCode::OK, Pieces::one(file, 0..size)),
        Wanted::One(range) => {
            headers.insert(CONTENT_RANGE, text(body::content_range(&range, size)));
            (StatusCode::PARTIAL_CONTENT, Pieces::one(file, range))
        }
        Wanted::Several(ranges) => {
            let (pieces, of_pieces) = Pieces::several(file, ranges, size, &content_type);
            content_type = of_pieces;
            (StatusCode::PARTIAL_CONTENT, pieces)
        }
        Wanted::Nothing => {
            headers.insert(CONTENT_RANGE, text(format!("bytes */{size}")));
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return Ok(response);
        }
    };
    *response.status_mut() = status;
    describe(&mut response, &content_type, &pieces);
    if parts.method != Method::HEAD {
        *response.body_mut() = pieces.into_body()?;
    }
    Ok(response)
}

/// The headers that tell of a body.
fn describe(response: &mut Response, content_type: &str, pieces: &Pieces) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, text(content_type.to_owned()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(pieces.length()));
}

/// Ranges are for `GET` only (RFC 9110 §14.2).
fn wanted(version: &Version, size: u64, parts: &Parts) -> Wanted {
    let counts = parts.method == Method::GET && version.allows_range(&parts.headers);
    let header = parts.headers.get(RANGE).filter(|_| counts);
    range::parse(header, size)
}

/// Numbers, dates and types of media fit into a header.
fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""))
}

/// A redirect to the same path with `/`. Relative, so that it holds wherever this is mounted, and to a name, so
/// that it leads to no other host.
fn complete_path(path: &str) -> Response {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    let location = text(format!("./{name}/"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// What leads out of the folder is a `PermissionDenied`.
fn refuse(error: io::Error) -> Response {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | NotADirectory | PermissionDenied | InvalidFilename => not_found(),
        _ => error.into_response(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

fn not_allowed() -> Response {
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n").into_response();
    let methods = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// All of the file from its beginning, as bytes of no particular type, with its length; 500 if it cannot be read.
impl IntoResponse for greenwire_system::fs::File {
    fn into_response(self) -> Response {
        let response = self
            .into_std()
            .and_then(|file| unblock(move || whole(file)));
        response.unwrap_or_else(IntoResponse::into_response)
    }
}

fn whole(file: File) -> io::Result<Response> {
    let size = file.metadata()?.len();
    let pieces = Pieces::one(file, 0..size);
    let mut response = Response::default();
    describe(&mut response, "application/octet-stream", &pieces);
    *response.body_mut() = pieces.into_body()?;
    Ok(response)
}
