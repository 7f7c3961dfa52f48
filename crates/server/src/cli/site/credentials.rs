//! `axiam site rotate-secret`, `disable` and `enable`.

use chrono::TimeDelta;
use clap::Args;
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::CommandError,
    platform::{
        clock::{Clock, SystemClock},
        keys::Keyring,
    },
    site,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Rotation {
    /// The site's id.
    id: Uuid,
    /// Seconds for which the present secret key is still taken; 0 where it has been stolen.
    #[arg(long, default_value_t = 86_400)]
    overlap: u32,
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
    let overlap = TimeDelta::seconds(wanted.overlap.into());
    let secret_key = site::rotate_secret(db, keys, &site, overlap, SystemClock.now()).await?;
    let secret_key = secret_key.reveal();
    if wanted.json {
        let printed =
            json!({ "site_id": site.id, "api_key": site.api_key, "secret_key": secret_key });
        say!("{printed:#}");
        return Ok(());
    }
    say!("secret_key  {secret_key}   (keep it: it is not shown again)");
    match wanted.overlap {
        0 => say!("The one before is not taken any more."),
        seconds => say!("The one before is taken for {seconds} s more."),
    }
    say!(
        "Tokens stay valid; where a key was stolen: axiam site revoke-tokens {}",
        site.id
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
