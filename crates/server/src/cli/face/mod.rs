//! The commands of `axiam face`: what needs photos, and what needs the database.

mod calibrate;
mod enrolled;
mod evaluate;
mod liveness;
mod photos;

use clap::Subcommand;

use super::CommandError;
use crate::platform::config::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Photos(photos::Command),
    #[command(flatten)]
    Enrolled(enrolled::Command),
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    match command {
        Command::Photos(command) => photos::run(settings, command),
        Command::Enrolled(command) => Box::pin(enrolled::run(settings, command)).await,
    }
}
