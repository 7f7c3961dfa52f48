//! The command line. Each command is one file; this one says what there is.

#[macro_use]
mod out;

mod account;
mod audit;
mod demo;
mod doctor;
mod face;
mod first_account;
mod keys;
mod log;
mod mail;
mod phone;
mod push;
mod serve;
mod signals;
mod site;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    audit::{Actor, Caller, within},
    platform::{
        config::{Overrides, Settings},
        tls,
    },
};

/// Whatever ends a command; printed as it is.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// Face sign-on for websites.
#[derive(Debug, Parser)]
#[command(name = "axiam", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// Settings file; what it leaves out keeps its default (see axiam.toml).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded database and the keys.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server; the first start makes keys and the database
    Serve {
        /// Address and port to listen on, for instance 127.0.0.1:3000.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
        /// Speak TLS with a certificate of its own, for phones in this machine's network: they trust it
        /// once, at /trust. Listens on port 3443 of every address unless another one is set.
        #[arg(long)]
        tls: bool,
        /// With a demo site at /demo, for trying out: it takes still photos and test identities.
        #[arg(long)]
        demo: bool,
        /// Serve although server.public_url is a plain http:// address beyond this machine: whoever is on the
        /// way reads and changes everything.
        #[arg(long)]
        insecure: bool,
    },
    /// Bring the database up to date and stop
    Migrate,
    /// Websites that use this server
    #[command(subcommand)]
    Site(site::Command),
    /// Who may open the dashboard
    #[command(subcommand)]
    Account(account::Command),
    /// Compare photos, measure the face pack, look after enrolled faces
    #[command(subcommand)]
    Face(face::Command),
    /// The installation's keys: list and replace them
    #[command(subcommand)]
    Keys(keys::Command),
    /// How phones are woken: try it, see what came of it, bring what native apps need
    #[command(subcommand)]
    Push(push::Command),
    /// The record of what was done: check that nobody changed it, print it
    #[command(subcommand)]
    Audit(audit::Command),
    /// Letters to accounts of the dashboard
    #[command(subcommand)]
    Mail(mail::Command),
    /// Every kind of credential: how it is listed, replaced, taken back, and when it ends
    Credentials,
    /// Check settings, database, Redis, pack and clock
    Doctor,
    /// Be a phone: pair, enrol a face, answer sign-ons
    Phone(phone::Arguments),
    /// Print the API's contract (OpenAPI)
    Openapi,
}

impl Arguments {
    fn sources(&self) -> Overrides {
        let (listen, tls) = match &self.command {
            Command::Serve { listen, tls, .. } => (listen.clone(), *tls),
            _ => (None, false),
        };
        let overrides = Overrides {
            file: self.config.clone(),
            data_dir: self.data_dir.clone(),
            listen,
            tls,
            ..Overrides::default()
        };
        overrides.with_environment()
    }
}

/// Runs the command.
///
/// # Errors
/// What the person should read.
pub async fn run(arguments: Arguments) -> Result<(), CommandError> {
    let sources = arguments.sources();
    let mut settings = Settings::load(&sources)?;
    tls::find_address(&mut settings);
    // The server's own doings are nobody's; each of its requests says whose it is.
    let actor = match arguments.command {
        Command::Serve { .. } => Actor::Server,
        _ => Actor::Operator(operator()),
    };
    let caller = Caller {
        actor,
        ..Caller::default()
    };
    within(caller, Box::pin(obey(settings, sources, arguments.command))).await
}

/// Who runs this, as far as the system says.
fn operator() -> String {
    let name = ["SUDO_USER", "USER"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some(value)
    });
    name.unwrap_or_default()
}

async fn obey(
    settings: Settings,
    sources: Overrides,
    command: Command,
) -> Result<(), CommandError> {
    match command {
        Command::Serve { demo, insecure, .. } => {
            serve::refuse_plain_text(&settings, insecure)?;
            Box::pin(serve::run(settings, sources, demo)).await
        }
        Command::Migrate => {
            serve::open_database(&settings).await?;
            say!("The database is up to date.");
            Ok(())
        }
        Command::Site(command) => Box::pin(site::run(&settings, command)).await,
        Command::Account(command) => Box::pin(account::run(&settings, command)).await,
        Command::Face(command) => Box::pin(face::run(&settings, command)).await,
        Command::Keys(command) => Box::pin(keys::run(&settings, command)).await,
        Command::Push(command) => Box::pin(push::run(&settings, command)).await,
        Command::Audit(command) => Box::pin(audit::run(&settings, command)).await,
        Command::Mail(command) => mail::run(&settings, command).await,
        Command::Credentials => {
            say_on!("{}", crate::credentials::table());
            Ok(())
        }
        Command::Doctor => doctor::run(&settings).await,
        Command::Phone(arguments) => phone::run(&settings, arguments).await,
        Command::Openapi => {
            say_on!("{}", crate::app::contract()?);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{Credential, How};

    #[test]
    fn what_is_said_of_credentials_can_be_typed() {
        let an_id = "7f1c2d3e-4a5b-4c6d-8e7f-9a0b1c2d3e4f";
        for kind in Credential::ALL {
            let care = kind.care();
            for how in [care.list, care.rotate, care.revoke] {
                let How::Command(command) = how else { continue };
                let words = command.split(' ').map(|word| match word {
                    "ID" | "JTI" | "CODE" | "WEBHOOK" => an_id,
                    other => other,
                });
                let parsed = Arguments::try_parse_from(std::iter::once("axiam").chain(words));
                assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
            }
        }
    }
}
