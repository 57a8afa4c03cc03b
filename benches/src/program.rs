//! How the command, and programs in `src/bin`, begin and end.

use std::error::Error;
use std::process::ExitCode;

/// Does `measure` with what the command line says; without flags it asked for help and gets `usage`.
pub fn run<Flags>(
    name: &str,
    usage: &str,
    flags: Result<Option<Flags>, lexopt::Error>,
    measure: impl FnOnce(&Flags) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let flags = match flags {
        Ok(Some(flags)) => flags,
        Ok(None) => {
            println!("{usage}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{name}: {error}\n\n{usage}");
            return ExitCode::from(2);
        }
    };
    match measure(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
