//! `axiam site codes` and `revoke-codes`.

use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::{
        CommandError,
        out::{self, minute},
    },
    enrolment::{self, Enrolment},
    platform::{
        clock::{Clock, SystemClock},
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
    let none = format!("No code of {} is open.", site.domain);
    let in_json = |code: &Enrolment| {
        json!({
            "id": code.id, "client_id": code.client_id, "flow_type": code.flow_type,
            "created_at": code.created_at, "expires_at": code.expires_at,
        })
    };
    let line = |code: &Enrolment| {
        let (since, until) = (minute(code.created_at), minute(code.expires_at));
        let flow = code.flow_type.as_str();
        format!(
            "{}  {flow:<6}  for client {}  since {since}  until {until}",
            code.id, code.client_id
        )
    };
    out::list(&codes, as_json, &none, in_json, line);
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
