//! How the command, and programs in `src/bin`, begin and end.

use lexopt::ValueExt;
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

/// The value of a flag that says how many.
///
/// # Errors
///
/// It is no number, or 0.
pub fn count(arguments: &mut lexopt::Parser) -> Result<usize, lexopt::Error> {
    let number = |text: &str| match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number, at least 1, is wanted"),
    };
    arguments.value()?.parse_with(number)
}
