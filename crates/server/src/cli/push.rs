//! `axiam push`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::{
    CommandError,
    out::{self, minute},
    serve::open_database,
    site::lookup,
};
use crate::{
    client::{self, Email},
    device,
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
        outgoing::Outgoing,
    },
    push::{self, Fcm, KeyFile, Means, Push},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a push that tells of nothing to a person's phones, or to one of them, and say what came of it
    Test {
        /// The site's id.
        site: Uuid,
        /// The person's address, as the site knows it.
        email: String,
        /// Only to this phone of theirs.
        #[arg(long, value_name = "ID")]
        device: Option<Uuid>,
    },
    /// Show a site's latest pushes: which phones took them, showed them, opened them
    List {
        /// The site's id.
        site: Uuid,
        /// Only those that no push service took.
        #[arg(long)]
        failed: bool,
        /// How many at most, the latest first.
        #[arg(long, default_value_t = 20)]
        last: u64,
        /// Print them as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Service accounts by which native apps are woken (Firebase Cloud Messaging)
    #[command(subcommand)]
    Account(AccountCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Bring a service account's key, in the place of the one before
    Set {
        /// The JSON file that the console of Firebase gives out: Project settings, Service accounts.
        file: PathBuf,
        #[command(flatten)]
        whose: Whose,
    },
    /// List the service accounts
    List {
        /// Print them as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take a service account away
    Remove(Whose),
}

#[derive(Debug, Args)]
pub(super) struct Whose {
    /// For this site alone, which has an app of its own; without: for every site that has none.
    #[arg(long, value_name = "ID")]
    site: Option<Uuid>,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    match command {
        Command::Test {
            site,
            email,
            device,
        } => Box::pin(test(settings, &db, (site, &email, device))).await,
        Command::List {
            site,
            failed,
            last,
            json,
        } => {
            let site = lookup::find(&db, site).await?;
            show(&push::latest(&db, site.id, failed, last).await?, json);
            Ok(())
        }
        Command::Account(command) => account(settings, &db, command).await,
    }
}

async fn keyring(settings: &Settings, db: &DatabaseConnection) -> Result<Keyring, CommandError> {
    let file = settings.master_key_file();
    Ok(Keyring::open(db, &file, SystemClock.now()).await?)
}

async fn test(
    settings: &Settings,
    db: &DatabaseConnection,
    (site, email, device): (Uuid, &str, Option<Uuid>),
) -> Result<(), CommandError> {
    let site = lookup::find(db, site).await?;
    let client = client::find_by_email(db, &site, &Email::try_from(email.to_owned())?).await?;
    let keys = keyring(settings, db).await?;
    let outgoing = Outgoing::new(&settings.outgoing);
    let (fcm, now) = (Fcm::default(), SystemClock.now());
    let means = Means {
        db,
        keys: &keys,
        settings,
        outgoing: &outgoing,
        clock: &SystemClock,
    };
    let mut phones = device::pushable(db, site.id, client.id, now).await?;
    phones.retain(|phone| device.is_none_or(|id| phone.id == id));
    if phones.is_empty() {
        return Err("no phone of this person can be woken (a page would read 1012)".into());
    }
    let mut failed = 0;
    for phone in phones {
        let tried = push::try_out(&means, &fcm, &site, &phone).await?;
        failed += u32::from(tried.has_failed());
        say!("{} ({}): {}", phone.name, phone.push.kind(), tried.told());
    }
    match failed {
        0 => Ok(()),
        count => Err(format!("{count} phone(s) could not be woken").into()),
    }
}

fn show(pushes: &[Push], as_json: bool) {
    let in_json = |push: &Push| {
        json!({
            "sign_on_id": push.sign_on_id, "device_id": push.device_id, "kind": push.kind,
            "created_at": push.created_at, "sent_at": push.sent_at, "refused_at": push.refused_at,
            "shown_at": push.shown_at, "opened_at": push.opened_at, "said": push.said,
        })
    };
    let line = |push: &Push| {
        format!(
            "{}  {}  device {}  {:<8}  {}",
            push.created_at.format("%Y-%m-%d %H:%M:%S"),
            push.sign_on_id,
            push.device_id,
            push.kind,
            push.told()
        )
    };
    out::list(pushes, as_json, "Nothing.", in_json, line);
}

async fn account(
    settings: &Settings,
    db: &DatabaseConnection,
    command: AccountCommand,
) -> Result<(), CommandError> {
    let now = SystemClock.now();
    match command {
        AccountCommand::Set { file, whose } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let file = KeyFile::read(&text)?;
            let keys = keyring(settings, db).await?;
            whose.check(db).await?;
            push::set_account((db, &keys), whose.site, &file, now).await?;
            say!(
                "Phones are woken as {}. Delete the file: the server keeps it sealed.",
                file.client_email
            );
        }
        AccountCommand::List { json } => list(&push::accounts(db).await?, json),
        AccountCommand::Remove(whose) => {
            let keys = keyring(settings, db).await?;
            push::remove_account((db, &keys), whose.site, now).await?;
            say!(
                "It is gone from here. Where it was stolen, delete its key at Google too: it is good there until then."
            );
        }
    }
    Ok(())
}

impl Whose {
    async fn check(&self, db: &DatabaseConnection) -> Result<(), CommandError> {
        if let Some(site) = self.site {
            lookup::find(db, site).await?;
        }
        Ok(())
    }
}

fn list(accounts: &[push::Account], as_json: bool) {
    let none = "None: native apps are not woken. Bring one: axiam push account set FILE";
    let in_json = |account: &push::Account| {
        json!({
            "site_id": account.site_id(), "project_id": account.project_id,
            "client_email": account.client_email, "key_id": account.key_id, "created_at": account.created_at,
        })
    };
    let line = |account: &push::Account| {
        let whose = account
            .site_id()
            .map_or_else(|| "every site".to_owned(), |site| format!("site {site}"));
        format!(
            "{whose}  {}  key {}  since {}",
            account.client_email,
            account.key_id,
            minute(account.created_at)
        )
    };
    out::list(accounts, as_json, none, in_json, line);
}
