//! The command line that all servers have.

use crate::Service;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// What the command line says.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// The service to offer.
    pub service: Service,
    /// The port of 127.0.0.1 to listen on; 0 for any.
    pub port: u16,
    /// How many OS threads run the handlers.
    pub workers: usize,
    /// Whether other processes share the port.
    pub reuse_port: bool,
    /// Whether the program's own switch was given.
    pub switch: bool,
}

/// The whole of a server's `main`: parses the command line, on which `switch` may stand if there is one,
/// and serves. A `serve` that does not offer the service says `ErrorKind::Unsupported`.
pub fn run(switch: Option<&str>, serve: impl FnOnce(Arguments) -> io::Result<()>) -> ExitCode {
    let arguments = match Arguments::parse(lexopt::Parser::from_env(), switch) {
        Ok(arguments) => arguments,
        Err(error) => return fail(2, error),
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => fail(2, error),
        Err(error) => fail(1, error),
    }
}

fn fail(status: u8, error: impl Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(status)
}

impl Arguments {
    fn parse(mut parser: lexopt::Parser, switch: Option<&str>) -> Result<Arguments, lexopt::Error> {
        use lexopt::prelude::{Long, Value, ValueExt};
        let (mut service, mut port, mut workers) = (None, 0, 1);
        let (mut reuse_port, mut switched) = (false, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Value(name) => service = Some(name.parse_with(service_of)?),
                Long("port") => port = parser.value()?.parse()?,
                Long("workers") => workers = parser.value()?.parse()?,
                Long("reuse-port") => reuse_port = true,
                Long(name) if Some(name) == switch => switched = true,
                other => return Err(other.unexpected()),
            }
        }
        Ok(Arguments {
            service: service
                .ok_or("which service? tcp-echo, http, websocket-echo, broadcast or socket.io")?,
            port,
            workers,
            reuse_port,
            switch: switched,
        })
    }

    /// The answer of a server that does not offer the service.
    ///
    /// # Errors
    /// Always.
    pub fn not_offered(&self) -> io::Result<()> {
        let text = format!("this server does not offer {}", self.service.name());
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }
}

fn service_of(name: &str) -> Result<Service, String> {
    let found = Service::ALL.into_iter().find(|known| known.name() == name);
    found.ok_or_else(|| format!("there is no service {name}"))
}
