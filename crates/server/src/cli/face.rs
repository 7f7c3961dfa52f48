//! `axiam face`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::config::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compare the faces in two photos
    Compare {
        /// One photo.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Measure the pack on a folder of photos, one folder a person
    Evaluate {
        /// The folder, in the layout of LFW.
        dir: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(_settings: &Settings, _command: Command) -> Result<(), Failure> {
    Err("not yet".into())
}
