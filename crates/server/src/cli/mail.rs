//! `axiam mail`: letters to accounts of the dashboard.

use clap::Subcommand;
use uuid::Uuid;

use super::CommandError;
use crate::platform::{
    clock::{Clock, SystemClock},
    config::Settings,
    mail::{Letter, Post},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a letter that says nothing, at once, and print what the mail server answers
    Test {
        /// Whom it goes to.
        address: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let Command::Test { address } = command;
    let to = address.parse();
    let to = to.map_err(|error| format!("{address} {error}"))?;
    let url = settings.public_url();
    let letter = Letter::new(to, "A letter from Axiam", &url)
        .says("Somebody tried whether letters arrive. This one has.")
        .link("The dashboard", format!("{url}/dashboard"));
    let post = Post::new(settings);
    if !post.is_open() {
        return Err(
            "there are no letters: set mail.url and mail.from (see axiam.toml), and try again"
                .into(),
        );
    }
    let sent = post.send(&letter, Uuid::new_v4(), SystemClock.now()).await;
    let said = sent.map_err(|error| format!("{}: {error}", settings.mail.url))?;
    if matches!(post, Post::Server(_)) {
        say!("{} took it for {address}: {said}", settings.mail.url);
    }
    Ok(())
}
