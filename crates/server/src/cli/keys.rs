//! `axiam keys`.

use std::collections::HashMap;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{
    CommandError,
    out::{self, minute},
    serve::open_database,
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    face::{self, Upkeep},
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::{self, Keyring, Purpose},
    },
    push, site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the keys: what for, since when, and how much needs each
    List {
        /// Print the keys as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Make a new data key and seal every client's key under it; servers may run meanwhile
    Rotate,
    /// Make a new key to sign tokens with; the one before is taken until all that it signed has ended
    RotateSigning(Signing),
    /// Make a new key by which push services know this server; phones that subscribed for the one before are woken by it
    /// until they subscribe anew
    RotatePush {
        /// The key was stolen: it is worth nothing at once, and phones are woken again when their app was opened.
        #[arg(long)]
        revoke: bool,
    },
    /// Make a new master key, seal every key under it and put its file in the old one's place
    RotateMaster,
}

#[derive(Debug, Args)]
pub(super) struct Signing {
    /// The key was stolen: everything that keys of before have signed is revoked at once.
    #[arg(long)]
    revoke: bool,
    /// The key that signs receipts of erasures; the one before stays published, so that receipts can be checked.
    #[arg(long, conflicts_with = "revoke")]
    receipts: bool,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    match command {
        Command::List { json } => list(settings, json).await,
        Command::Rotate => Box::pin(rotate(settings)).await,
        Command::RotateSigning(wanted) => Box::pin(rotate_signing(settings, &wanted)).await,
        Command::RotatePush { revoke } => Box::pin(rotate_push(settings, revoke)).await,
        Command::RotateMaster => Box::pin(rotate_master(settings)).await,
    }
}

async fn list(settings: &Settings, as_json: bool) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let mut held: HashMap<_, u64> = HashMap::new();
    for (id, uses) in face::by_key(&db).await? {
        *held.entry(id).or_default() += uses;
    }
    for (id, uses) in site::tokens_by_key(&db, SystemClock.now()).await? {
        *held.entry(id).or_default() += uses;
    }
    let master = settings.master_key_file();
    if master.exists() {
        let keyring = Keyring::open(&db, &master, SystemClock.now()).await?;
        held.extend(push::phones_by_key(&db, &keyring).await?);
    }
    let keys = keys::list(&db).await?;
    let uses = |id| held.get(&id).copied().unwrap_or(0);
    let in_json = |key: &keys::Listed| {
        json!({
            "id": key.id, "purpose": key.purpose, "created_at": key.created_at,
            "retired_at": key.retired_at, "uses": uses(key.id),
        })
    };
    let line = |key: &keys::Listed| {
        let state = match key.retired_at {
            Some(at) => format!("retired {}", minute(at)),
            None => "in force".into(),
        };
        let since = minute(key.created_at);
        let uses = uses(key.id);
        format!(
            "{}  {:<46}  since {since}  {state}  {uses} use(s)",
            key.id, key.purpose
        )
    };
    // There is none before the first start only.
    out::list(&keys, as_json, "", in_json, line);
    Ok(())
}

async fn rotate(settings: &Settings) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let now = SystemClock.now();
    let keys = Keyring::open(&db, &settings.master_key_file(), now).await?;
    let upkeep = Upkeep {
        db: &db,
        keys: &keys,
        now,
    };
    upkeep.bring_up_to_date().await?;
    let bar = bar("clients")?;
    let done = upkeep
        .rotate_data_key(|done, all| show(&bar, done, all))
        .await?;
    bar.finish_and_clear();
    if !done.begun {
        say!("An interrupted rotation was ended; run this again for another new key.");
    }
    say!("{} client(s) sealed under the new data key.", done.done);
    match done.needed {
        0 => say!("No older data key is left."),
        more => {
            say!(
                "{more} older key(s) kept: a server wrote under one a moment ago. Run this again."
            );
        }
    }
    Ok(())
}

async fn rotate_signing(settings: &Settings, wanted: &Signing) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let now = SystemClock.now();
    let keys = Keyring::open(&db, &settings.master_key_file(), now).await?;
    if wanted.receipts {
        site::rotate_signing(&db, &keys, Purpose::Receipts, false, now).await?;
        say!("Receipts are signed by a new key; the ones before stay published.");
        return Ok(());
    }
    let revoked = site::rotate_signing(&db, &keys, Purpose::SiteTokens, wanted.revoke, now).await?;
    say!("Tokens are signed by a new key, by running servers too.");
    if wanted.revoke {
        say!("{revoked} token(s) that keys of before had signed are revoked.");
    } else {
        say!(
            "What the one before has signed is taken until it ends; where the key was stolen, add --revoke."
        );
    }
    Ok(())
}

async fn rotate_push(settings: &Settings, revoke: bool) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let now = SystemClock.now();
    let keys = Keyring::open(&db, &settings.master_key_file(), now).await?;
    push::rotate_key(&db, &keys, revoke, now).await?;
    say!("Phones subscribe for a new key from now on.");
    if revoke {
        say!(
            "The keys of before are worth nothing; each phone is woken again once its app was opened."
        );
    } else {
        say!(
            "The one before wakes those that subscribed for it until they have subscribed anew; where it was stolen, add --revoke."
        );
    }
    Ok(())
}

async fn rotate_master(settings: &Settings) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let (now, file) = (SystemClock.now(), settings.master_key_file());
    if !file.exists() {
        return Err(format!("{}: there is none yet", file.display()).into());
    }
    let change = keys::rotate_master(&db, &file, now).await?;
    let keys = Keyring::open(&db, &file, now).await?;
    Entry::new(INSTALLATION, Action::KeyReplaced)
        .detail("master")
        .record_alone(&db, &keys, now)
        .await?;
    say!(
        "{} key(s) sealed under a new master key, which is in {}.",
        change.keys,
        file.display()
    );
    say!(
        "The old one is kept in {} for backups made with it; delete it when they are gone.",
        change.kept.display()
    );
    say!("Copy the new file to the other servers of this installation before they start again.");
    Ok(())
}

/// A bar on standard error, which vanishes where that is no terminal.
pub(super) fn bar(what: &str) -> Result<ProgressBar, CommandError> {
    let style =
        ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what}, {{eta}} left"))?;
    Ok(ProgressBar::new(0).with_style(style))
}

pub(super) fn show(bar: &ProgressBar, done: u64, all: u64) {
    bar.set_length(all);
    bar.set_position(done);
}
