//! The program `axiam`; everything is in the library, where tests reach it.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::{io::Write, process::ExitCode};

use clap::Parser;
use server::cli::{self, Arguments};

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(cli::run(Arguments::parse())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads it, the status still says it.
            let _ = writeln!(std::io::stderr(), "axiam: {error}");
            ExitCode::FAILURE
        }
    }
}
