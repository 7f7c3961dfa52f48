//! `axiam site`.

mod lookup;
mod redis;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use self::lookup::find;
use super::{CommandError, serve::open_database};
use crate::{
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
    },
    site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a site and print its keys; the secret key is shown this once
    Create {
        /// Any address on the site; the domain is taken from it.
        #[arg(long)]
        url: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the sites
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a site's settings, for example `number_matching=true`
    Set {
        /// The site's id.
        id: Uuid,
        /// KEY=VALUE, one or more.
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Show how the site's backend listens to its events in Redis
    Redis(redis::Arguments),
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    match command {
        Command::Create { url, json } => {
            let new = site::create(&db, &url, SystemClock.now()).await?;
            let secret_key = new.secret_key.reveal();
            let site = &new.site;
            let access = redis::give(settings, &db, site).await?;
            if json {
                let mut printed = json!({
                    "site_id": site.id, "domain": site.domain, "api_key": site.api_key,
                    "secret_key": secret_key, "channel_prefix": site.channel_prefix,
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
        Command::Set { id, settings } => set(&db, id, &settings).await?,
        Command::Redis(arguments) => redis::run(settings, &db, arguments).await?,
    }
    Ok(())
}

fn list(sites: &[site::Site], json: bool) {
    if json {
        let rows: Vec<_> = sites
            .iter()
            .map(|site| {
                json!({
                    "site_id": site.id, "domain": site.domain, "api_key": site.api_key,
                    "channel_prefix": site.channel_prefix, "settings": site.settings,
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
        say!("{}  {:<30}  {}", site.id, site.domain, site.api_key);
    }
}

async fn set(
    db: &sea_orm::DatabaseConnection,
    id: Uuid,
    settings: &[String],
) -> Result<(), CommandError> {
    let mut site = find(db, id).await?;
    // All of them are checked before the first is stored.
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("{setting:?} is not KEY=VALUE"))?;
        site.settings = site.settings.with(key, value)?;
    }
    site::store_settings(db, &site).await?;
    say!("{}", serde_json::to_string_pretty(&site.settings)?);
    Ok(())
}
