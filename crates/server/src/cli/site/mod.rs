//! `axiam site`.

mod codes;
mod export;
pub(super) mod lookup;
mod redis;
mod secrets;
mod tokens;
mod webhook;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use uuid::Uuid;

use self::lookup::find;
use super::{CommandError, serve::open_all};
use crate::{
    client::Everybody,
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
    },
    sign_on::Attempts,
    site::{self, SiteSettings},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a site and print its keys; the secret key is shown this once
    Create {
        /// Any address on the site; the domain is taken from it.
        #[arg(long)]
        url: String,
        /// In test mode: approve@, deny@, wrong-face@, expire@ and no-device@example.test answer by themselves.
        #[arg(long)]
        test: bool,
        /// Print the site and its keys as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// List the sites with id, domain and state
    List {
        /// Print the sites as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Call a site otherwise: on phones, in the dashboard, in letters
    Rename {
        /// Id of the site, as `axiam site list` prints it.
        id: Uuid,
        /// What it is called from now on.
        name: String,
    },
    /// Change a site's settings, for example `number_matching=true`
    Set {
        /// Id of the site, as `axiam site list` prints it.
        id: Uuid,
        /// KEY=VALUE, one or more.
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Let test identities give their verdicts on a site, or on no account
    TestMode {
        /// The site's id.
        id: Uuid,
        /// Whether.
        mode: Switch,
    },
    /// Give a site another secret key, shown this once; the present one is taken for a while
    RotateSecret(secrets::Rotation),
    /// List the secret keys of a site that are taken: name, since and until when
    Secrets {
        /// The site's id.
        id: Uuid,
        /// Print the keys as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take one secret key of a site back at once, by the name that `axiam site secrets` lists
    RevokeSecret {
        /// The site's id.
        id: Uuid,
        /// Name of the key.
        name: String,
    },
    /// List the codes of a site that a phone may still be paired with
    Codes {
        /// The site's id.
        id: Uuid,
        /// Print the codes as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take back codes to pair phones, by the ids that `axiam site codes` lists
    RevokeCodes {
        /// The site's id.
        id: Uuid,
        /// Ids of the codes, one or more.
        #[arg(required = true)]
        codes: Vec<Uuid>,
    },
    /// List the tokens of a site that are worth something: jti, scope, since and until when, where last used
    Tokens {
        /// The site's id.
        id: Uuid,
        /// Print the tokens as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Revoke every token that a site and its pages were given until now, or some by their jti
    RevokeTokens {
        /// The site's id.
        id: Uuid,
        /// Only this token, as `axiam site tokens` lists it; may be given several times.
        #[arg(long)]
        jti: Vec<Uuid>,
    },
    /// Switch a site off: its keys, tokens and phones are unknown until it is on again
    Disable {
        /// The site's id.
        id: Uuid,
    },
    /// Switch a site on again
    Enable {
        /// The site's id.
        id: Uuid,
    },
    /// Write everybody whom the site knows to standard output, as CSV
    Clients(export::Wanted),
    /// Write every attempt to sign on to standard output, as CSV, the newest first
    SignOns(export::Wanted),
    /// Show how the site's backend listens to its events in Redis
    Redis(redis::Arguments),
    /// Addresses of the site that are told what happens
    #[command(subcommand)]
    Webhook(webhook::Command),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let (db, keys) = open_all(settings).await?;
    match command {
        Command::Create { url, test, json } => {
            let new = site::create(&db, &keys, (&url, test), SystemClock.now()).await?;
            let secret_key = new.secret_key.reveal();
            let site = &new.site;
            let access = redis::give(settings, (&db, &keys), site, None).await?;
            if json {
                let mut printed = json!({
                    "site_id": site.id, "domain": site.domain, "api_key": site.api_key,
                    "secret_key": secret_key, "channel_prefix": site.channel_prefix, "test_mode": test,
                });
                if let Some(access) = access {
                    printed["redis"] = access.json();
                }
                say!("{printed:#}");
            } else {
                say!("site_id         {}", site.id);
                say!("domain          {}", site.domain);
                say!("api_key         {}", site.api_key);
                say!("secret_key      {secret_key}   (keep it: it is not shown again)");
                say!("channel_prefix  {}", site.channel_prefix);
                if let Some(access) = access {
                    access.print();
                }
            }
        }
        Command::List { json } => list(&site::all(&db).await?, json),
        Command::Rename { id, name } => {
            let site = find(&db, id).await?;
            let name = site::rename(&db, &keys, (site.id, &name), SystemClock.now()).await?;
            say!("{} is called {name} now.", site.domain);
        }
        Command::Set { id, settings } => set(&db, &keys, id, &settings).await?,
        Command::TestMode { id, mode } => {
            set_test_mode(&db, &keys, id, matches!(mode, Switch::On)).await?;
        }
        Command::RotateSecret(wanted) => secrets::rotate(&db, &keys, wanted).await?,
        Command::Secrets { id, json } => secrets::list(&db, id, json).await?,
        Command::RevokeSecret { id, name } => {
            secrets::revoke(&db, &keys, id, &name).await?;
        }
        Command::Codes { id, json } => codes::list(&db, id, json).await?,
        Command::RevokeCodes { id, codes } => codes::revoke(&db, &keys, id, &codes).await?,
        Command::Tokens { id, json } => tokens::list(&db, id, json).await?,
        Command::RevokeTokens { id, jti } => tokens::revoke(&db, &keys, id, &jti).await?,
        Command::Clients(wanted) => {
            let all = Everybody::of(find(&db, wanted.id).await?);
            export::write(&db, &keys, &wanted, all).await?;
        }
        Command::SignOns(wanted) => {
            let all = Attempts::all(find(&db, wanted.id).await?);
            export::write(&db, &keys, &wanted, all).await?;
        }
        Command::Disable { id } => secrets::switch(&db, &keys, id, false).await?,
        Command::Enable { id } => secrets::switch(&db, &keys, id, true).await?,
        Command::Webhook(command) => webhook::run(settings, (&db, &keys), command).await?,
        Command::Redis(arguments) => redis::run(settings, &db, &keys, arguments).await?,
    }
    Ok(())
}

fn list(sites: &[site::Site], json: bool) {
    if json {
        let rows: Vec<_> = sites
            .iter()
            .map(|site| {
                json!({
                    "site_id": site.id, "name": site.name, "domain": site.domain, "api_key": site.api_key,
                    "channel_prefix": site.channel_prefix, "settings": site.settings,
                    "enabled": site.is_enabled(),
                })
            })
            .collect();
        say!("{:#}", json!(rows));
        return;
    }
    if sites.is_empty() {
        say!("No sites yet. Register one: axiam site create --url https://example.com");
    }
    for site in sites {
        let test = if site.settings.test_mode {
            "  test mode"
        } else {
            ""
        };
        let test = if site.is_enabled() { test } else { "  off" };
        say!("{}  {:<30}  {}{test}", site.id, site.domain, site.api_key);
    }
}

async fn set(
    db: &sea_orm::DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    settings: &[String],
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    let pair = |setting: &'_ String| {
        let pair = setting.split_once('=');
        pair.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .ok_or_else(|| format!("{setting:?} is not KEY=VALUE"))
    };
    let pairs: Vec<_> = settings.iter().map(pair).collect::<Result<_, _>>()?;
    // All of them are checked before the first is stored.
    let change = |settings: &SiteSettings| {
        pairs
            .iter()
            .try_fold(settings.clone(), |settings, (key, value)| {
                settings.with(key, value)
            })
    };
    let changed = site::change_settings(db, keys, site.id, change, SystemClock.now()).await?;
    say!("{}", serde_json::to_string_pretty(&changed)?);
    Ok(())
}

async fn set_test_mode(
    db: &sea_orm::DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    test_mode: bool,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    site::set_test_mode(db, keys, site.id, test_mode, SystemClock.now()).await?;
    if test_mode {
        say!(
            "{} is in test mode: whoever types approve@example.test signs in. Switch it off before people use the site.",
            site.domain
        );
    } else {
        say!("{} is live: test identities get no verdict.", site.domain);
    }
    Ok(())
}
