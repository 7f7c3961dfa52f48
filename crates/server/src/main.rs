//! The program `axiam`; everything is in the library, where tests reach it.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Arguments};

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(cli::run(Arguments::parse())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axiam: {error}");
            ExitCode::FAILURE
        }
    }
}
