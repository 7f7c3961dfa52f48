//! `axiam account`: who may open the dashboard.

use clap::{Subcommand, ValueEnum};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::{CommandError, serve::open_all};
use crate::{
    account::{self, Account, Role},
    client::Email,
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
    },
    site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account, and print the link that sets its password
    Create {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// It runs the installation: it owns every site, and makes further accounts.
        #[arg(long)]
        administrator: bool,
    },
    /// Print a link that sets another password, once; the one before stays good until it is used
    Reset {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// List the accounts
    List {
        /// Print them as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Give an account a role on a site
    Grant {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
        /// The site's id.
        #[arg(long)]
        site: Uuid,
        /// What it may do there.
        #[arg(long)]
        role: RoleName,
    },
    /// Take an account's role on a site away
    Revoke {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
        /// The site's id.
        #[arg(long)]
        site: Uuid,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Viewer,
    Operator,
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Owner => Self::Owner,
        }
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let (db, keys) = open_all(settings).await?;
    let now = SystemClock.now();
    match command {
        Command::Create {
            email,
            administrator,
        } => {
            let account = account::create(&db, &keys, &email, administrator, now).await?;
            print_link(settings, &db, &keys, &account).await?;
        }
        Command::Reset { email } => {
            let account = find(&db, &email).await?;
            print_link(settings, &db, &keys, &account).await?;
        }
        Command::List { json } => list(&db, json).await?,
        Command::Grant { email, site, role } => {
            let account = find(&db, &email).await?;
            let site = site::find(&db, site).await?.ok_or_else(|| no_site(site))?;
            let at = (account.id, site.id);
            let role = Role::from(role);
            account::give_role(&db, &keys, at, role, now).await?;
            say!(
                "{} is {} of {} now.",
                account.email,
                role.as_str(),
                site.domain
            );
        }
        Command::Revoke { email, site } => {
            let account = find(&db, &email).await?;
            let had = account::take_role(&db, &keys, (account.id, site), now).await?;
            if !had {
                return Err(format!("{} has no role there", account.email).into());
            }
            say!("{} may not come in there any more.", account.email);
        }
    }
    Ok(())
}

fn no_site(id: Uuid) -> String {
    format!("there is no site {id}; `axiam site list` shows them")
}

async fn find(db: &DatabaseConnection, email: &str) -> Result<Account, CommandError> {
    let parsed = Email::try_from(email.to_owned())?;
    let found = account::find_by_email(db, &parsed).await?;
    found.ok_or_else(|| {
        format!("there is no account {email}; `axiam account list` shows them").into()
    })
}

async fn print_link(
    settings: &Settings,
    db: &DatabaseConnection,
    keys: &Keyring,
    account: &Account,
) -> Result<(), CommandError> {
    let token = account::offer(db, keys, Some(account.id), SystemClock.now()).await?;
    say!(
        "{}/dashboard/join?token={}",
        settings.public_url(),
        token.reveal()
    );
    note!(
        "Whoever opens this link sets the password of {}, once, within {} days.",
        account.email,
        account::LIFE.num_days()
    );
    Ok(())
}

async fn list(db: &DatabaseConnection, json: bool) -> Result<(), CommandError> {
    let accounts = account::all(db).await?;
    if json {
        let rows: Vec<_> = accounts
            .iter()
            .map(|account| {
                json!({
                    "account_id": account.id, "email": account.email,
                    "administrator": account.is_administrator,
                    "has_password": account.password.is_some(),
                })
            })
            .collect();
        say!("{:#}", json!(rows));
        return Ok(());
    }
    if accounts.is_empty() {
        say!("No accounts yet. `axiam serve` prints a link for the first one.");
    }
    for account in accounts {
        let kind = if account.is_administrator {
            "administrator"
        } else {
            ""
        };
        let waits = if account.password.is_none() {
            "not come in yet"
        } else {
            ""
        };
        say!("{}  {:<40}  {kind}{waits}", account.id, account.email);
    }
    Ok(())
}
