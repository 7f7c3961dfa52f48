//! `axiam site secrets`, `rotate-secret`, `revoke-secret`, `disable` and `enable`.

use chrono::TimeDelta;
use clap::Args;
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::{
        CommandError,
        out::{self, minute},
    },
    platform::{
        clock::{Clock, SystemClock},
        keys::Keyring,
    },
    site::{self, SiteSecret},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Rotation {
    /// The site's id.
    id: Uuid,
    /// Seconds for which the present secret key is still taken; 0 where it has been stolen.
    #[arg(long, default_value_t = 86_400)]
    overlap: u32,
    /// Days after which the new key ends by itself; without, it does not.
    #[arg(long)]
    days: Option<u32>,
    /// Print the new key as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) async fn rotate(
    db: &DatabaseConnection,
    keys: &Keyring,
    wanted: Rotation,
) -> Result<(), CommandError> {
    let site = find(db, wanted.id).await?;
    let rotation = site::Rotation {
        overlap: TimeDelta::seconds(wanted.overlap.into()),
        life: wanted.days.map(|days| TimeDelta::days(days.into())),
    };
    let secret_key = site::rotate_secret(db, keys, &site, rotation, SystemClock.now()).await?;
    let secret_key = secret_key.reveal();
    if wanted.json {
        let printed =
            json!({ "site_id": site.id, "api_key": site.api_key, "secret_key": secret_key });
        say!("{printed:#}");
        return Ok(());
    }
    say!("secret_key  {secret_key}   (keep it: it is not shown again)");
    match wanted.overlap {
        0 => say!("None of before is taken any more."),
        seconds => say!("The one before is taken for {seconds} s more."),
    }
    say!(
        "Tokens stay valid; where a key was stolen: axiam site revoke-tokens {}",
        site.id
    );
    Ok(())
}

pub(super) async fn list(
    db: &DatabaseConnection,
    id: Uuid,
    as_json: bool,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    let secrets = site::live_secrets(db, site.id, SystemClock.now()).await?;
    let none = format!(
        "{} has no secret key: axiam site rotate-secret {id}",
        site.domain
    );
    let in_json = |key: &SiteSecret| {
        json!({
            "name": key.name(), "created_at": key.created_at, "expires_at": key.expires_at,
        })
    };
    let line = |key: &SiteSecret| {
        let until = key
            .expires_at
            .map_or("no end".to_owned(), |at| format!("until {}", minute(at)));
        format!("{}  since {}  {until}", key.name(), minute(key.created_at))
    };
    out::list(&secrets, as_json, &none, in_json, line);
    Ok(())
}

pub(super) async fn revoke(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    name: &str,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    if !site::revoke_secret(db, keys, &site, name, SystemClock.now()).await? {
        let text = format!(
            "{} has no secret key {name}; `axiam site secrets {id}` lists them",
            site.domain
        );
        return Err(text.into());
    }
    say!(
        "{name} is not taken any more. Tokens stay valid; where it was stolen: axiam site revoke-tokens {id}"
    );
    Ok(())
}

pub(super) async fn switch(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    is_on: bool,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    site::switch(db, keys, &site, is_on, SystemClock.now()).await?;
    if is_on {
        say!("{} is on.", site.domain);
    } else {
        say!(
            "{} is off: its keys, tokens and phones are unknown until it is on again.",
            site.domain
        );
    }
    Ok(())
}
