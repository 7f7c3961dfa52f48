//! `axiam site tokens` and `revoke-tokens`.

use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
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
    site::{self, SiteToken},
};

pub(super) async fn list(
    db: &DatabaseConnection,
    id: Uuid,
    as_json: bool,
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    let tokens = site::live_tokens(db, &site, SystemClock.now()).await?;
    let none = format!("{} has no token that is worth anything.", site.domain);
    out::list(&tokens, as_json, &none, in_json, line);
    Ok(())
}

fn in_json(token: &SiteToken) -> Value {
    json!({
        "jti": token.id, "scope": token.scope, "issued_at": token.issued_at,
        "expires_at": token.expires_at, "seen_at": token.seen_at,
        "seen_from": token.seen_from, "key_id": token.key_id,
    })
}

fn line(token: &SiteToken) -> String {
    let seen = match token.seen_at {
        Some(at) if token.seen_from.is_empty() => format!("used {}", minute(at)),
        Some(at) => format!("used {} from {}", minute(at), token.seen_from),
        None => "not used".to_owned(),
    };
    format!(
        "{}  {:<7}  since {}  until {}  {seen}",
        token.id,
        token.scope,
        minute(token.issued_at),
        minute(token.expires_at)
    )
}

pub(super) async fn revoke(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    jtis: &[Uuid],
) -> Result<(), CommandError> {
    let site = find(db, id).await?;
    if jtis.is_empty() {
        site::revoke_tokens(db, keys, &site, SystemClock.now()).await?;
        say!(
            "All tokens of {} are revoked; its backend asks for a new one by itself.",
            site.domain
        );
    }
    for jti in jtis {
        if !site::revoke_token(db, keys, &site, *jti, SystemClock.now()).await? {
            let text = format!(
                "{} has no token {jti} that is worth anything; `axiam site tokens {id}` lists them",
                site.domain
            );
            return Err(text.into());
        }
        say!("{jti} is revoked.");
    }
    Ok(())
}
