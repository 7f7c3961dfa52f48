//! `axiam account`: who may open the dashboard.

use clap::{Subcommand, ValueEnum};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::{CommandError, serve::open_all, site::lookup};
use crate::{
    account::{self, Account, AccountError, By, Role},
    client::Email,
    erasure::Means,
    platform::{
        clock::{Clock, Moment, SystemClock},
        config::Settings,
        keys::Keyring,
    },
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
    /// Give an account another e-mail address; links that were sent to the one before are worth nothing
    SetEmail {
        /// The account's present e-mail address.
        #[arg(long)]
        email: String,
        /// The address that it is to have.
        #[arg(long)]
        to: String,
    },
    /// Erase an account with its ways in, roles and sessions; the log names it by its id alone
    Erase {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// End all of an account's sessions with the dashboard
    EndSessions {
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
    /// Say how an account may sign in
    Ways {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Take one of an account's ways in away; its password stays
    DropWay {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
        /// Which one.
        way: Way,
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
pub(super) enum Way {
    /// Its face, by the phone that was paired for the dashboard
    Face,
    /// Its recovery codes
    Codes,
    /// Its passkeys
    Passkeys,
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
        Command::SetEmail { email, to } => {
            let account = find(&db, &email).await?;
            account::set_address(&means(settings, (&db, &keys), now), &account, &to).await?;
            say!("{email} is {to} now. Its sessions go on; its password is the same.");
        }
        Command::Erase { email } => {
            let account = find(&db, &email).await?;
            account::erase_by_operator(&means(settings, (&db, &keys), now), &account)
                .await
                .map_err(|error| instead(error, &email))?;
            say!("{email} is erased.");
        }
        Command::EndSessions { email } => {
            let account = find(&db, &email).await?;
            let ended = account::end_all_sessions((&db, &keys), &account, now).await?;
            say!("{ended} session(s) of {} have ended.", account.email);
        }
        Command::List { json } => list(&db, json).await?,
        Command::Ways { email } => ways(&db, &find(&db, &email).await?).await?,
        Command::DropWay { email, way } => {
            let account = find(&db, &email).await?;
            match way {
                Way::Face => {
                    account::unlink_face(&db, &keys, &account, now).await?;
                }
                Way::Passkeys => {
                    account::take_passkeys_back(&db, &keys, &account, now).await?;
                }
                Way::Codes => account::take_codes_back(&db, &keys, &account, now).await?,
            }
            say!("{} does not come in that way any more.", account.email);
        }
        Command::Grant { email, site, role } => {
            let account = find(&db, &email).await?;
            let site = lookup::find(&db, site).await?;
            let at = (account.id, site.id);
            let role = Role::from(role);
            account::give_role(&db, &keys, at, (role, By::Administrator), now).await?;
            say!(
                "{} is {} of {} now.",
                account.email,
                role.as_str(),
                site.domain
            );
        }
        Command::Revoke { email, site } => {
            let account = find(&db, &email).await?;
            let had =
                account::take_role(&db, &keys, (account.id, site), By::Administrator, now).await?;
            if !had {
                return Err(format!("{} has no role there", account.email).into());
            }
            say!("{} may not come in there any more.", account.email);
        }
    }
    Ok(())
}

fn means<'a>(
    settings: &Settings,
    (db, keys): (&'a DatabaseConnection, &'a Keyring),
    now: Moment,
) -> Means<'a> {
    Means {
        db,
        keys,
        public_url: settings.public_url(),
        now,
    }
}

/// Why an account is not erased, and what to do first.
fn instead(error: AccountError, email: &str) -> CommandError {
    match error {
        AccountError::OwnsAlone(_) => format!(
            "{email} stays: {error}. Make somebody else an owner there first: axiam account grant --role owner"
        )
        .into(),
        AccountError::LastAdministrator => format!(
            "{email} stays: {error}. Make another one first: axiam account create --administrator"
        )
        .into(),
        error => error.into(),
    }
}

async fn ways(db: &DatabaseConnection, account: &Account) -> Result<(), CommandError> {
    let has = |is: bool| if is { "yes" } else { "no" };
    let codes = account::codes_left(db, account).await?;
    say!("password        {}", has(account.password.is_some()));
    say!(
        "own face        {}",
        has(account::is_linked(db, account).await?)
    );
    say!(
        "passkeys        {}",
        account::passkeys(db, account).await?.len()
    );
    say!("recovery codes  {codes}");
    Ok(())
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
    say!("{}", account::join_address(&settings.public_url(), &token));
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
        let notes = [
            account.is_administrator.then_some("administrator"),
            account.password.is_none().then_some("not come in yet"),
        ];
        let notes: Vec<&str> = notes.into_iter().flatten().collect();
        say!(
            "{}  {:<40}  {}",
            account.id,
            account.email,
            notes.join(", ")
        );
    }
    Ok(())
}
