//! `axiam site codes` and `revoke-codes`.

use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::CommandError,
    enrolment,
    platform::{
        clock::{Clock, Moment, SystemClock},
        keys::Keyring,
    },
};

pub(super) async fn list(
    db: &DatabaseConnection,
    id: Uuid,
    as_json: bool,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    let codes = enrolment::open_codes(db, site.id, SystemClock.now()).await?;
    if as_json {
        let rows: Vec<_> = codes
            .iter()
            .map(|code| {
                json!({
                    "id": code.id, "client_id": code.client_id, "flow_type": code.flow_type,
                    "created_at": code.created_at, "expires_at": code.expires_at,
                })
            })
            .collect();
        say!("{:#}", json!(rows));
        return Ok(());
    }
    if codes.is_empty() {
        say!("No code of {} is open.", site.domain);
    }
    let minute = |at: Moment| at.format("%Y-%m-%d %H:%M").to_string();
    for code in codes {
        let (since, until) = (minute(code.created_at), minute(code.expires_at));
        let flow = code.flow_type.as_str();
        say!(
            "{}  {flow:<6}  for client {}  since {since}  until {until}",
            code.id,
            code.client_id
        );
    }
    Ok(())
}

pub(super) async fn revoke(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    codes: &[Uuid],
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    for code in codes {
        if !enrolment::revoke(db, keys, site.id, *code, SystemClock.now()).await? {
            let text = format!(
                "{} has no open code {code}; `axiam site codes {id}` lists them",
                site.domain
            );
            return Err(text.into());
        }
        say!("{code} pairs nothing any more.");
    }
    Ok(())
}
