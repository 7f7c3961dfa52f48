//! Who we are to push services (VAPID, RFC 8292): a key of the installation signs for it, and browsers subscribe for
//! that key alone. So one that was replaced goes on signing for those who subscribed for it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header};
use sea_orm::DatabaseConnection;
use serde::Serialize;
use url::Url;

use super::means::Means;
use crate::{
    audit::{Action, Entry, INSTALLATION},
    device,
    platform::{
        clock::Moment,
        db,
        keys::{self, KeyError, Keyring, Purpose, SigningPair},
        state::State,
    },
};

/// How long a claim is good for; push services take a day at most.
const LIFE: TimeDelta = TimeDelta::hours(12);

/// How long a key that was replaced is kept at least: a phone may be subscribing for it at that moment.
const LATE: TimeDelta = TimeDelta::hours(1);

#[derive(Serialize)]
struct Claims {
    aud: String,
    exp: i64,
    sub: String,
}

/// A pair's public half as browsers take it.
fn point(pair: &SigningPair) -> Result<String, KeyError> {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(pair.jwk[name].as_str()?).ok();
    let (Some(x), Some(y)) = (part("x"), part("y")) else {
        return Err(KeyError::Damaged(pair.kid.clone()));
    };
    Ok(URL_SAFE_NO_PAD.encode([[4].as_slice(), &x, &y].concat()))
}

/// The key that browsers subscribe for (`applicationServerKey`), base64url.
///
/// # Errors
/// When it does not open or the database fails.
pub async fn public_key(state: &State) -> Result<String, KeyError> {
    let (db, now) = (&state.db, state.now());
    point(&*state.keys.signing(db, Purpose::WebPush, now).await?)
}

/// Whether somebody can have subscribed for this key.
///
/// # Errors
/// When a key does not open or the database fails.
pub async fn knows_key(state: &State, key: &str) -> Result<bool, KeyError> {
    Ok(find((&state.db, &state.keys), key).await?.is_some())
}

async fn find(
    (db, keys): (&DatabaseConnection, &Keyring),
    key: &str,
) -> Result<Option<Arc<SigningPair>>, KeyError> {
    for pair in keys.pairs(db, Purpose::WebPush).await? {
        if point(&pair)? == key {
            return Ok(Some(pair));
        }
    }
    Ok(None)
}

/// The value of `Authorization` for a push service, signed by the key that the browser subscribed for; `None` where
/// that was taken back.
pub(super) async fn authorization(
    means: &Means<'_>,
    endpoint: &Url,
    key: Option<&str>,
) -> Result<Option<String>, KeyError> {
    let (db, keys, now) = (means.db, means.keys, means.now());
    let pair = match key {
        Some(key) => find((db, keys), key).await?,
        None => Some(keys.signing(db, Purpose::WebPush, now).await?),
    };
    let Some(pair) = pair else {
        return Ok(None);
    };
    let claims = Claims {
        aud: endpoint.origin().ascii_serialization(),
        exp: (now + LIFE).timestamp(),
        sub: means.settings.push.contact(means.settings.public_url()),
    };
    let signed = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &pair.signing)
        .map_err(|_| KeyError::Damaged(pair.kid.clone()))?;
    Ok(Some(format!("vapid t={signed}, k={}", point(&pair)?)))
}

/// Has phones subscribe for a new key from now on. Those that did for the ones of before are woken by them until they
/// subscribe anew, unless those keys are to be worth nothing at once.
///
/// # Errors
/// When the master key does not fit or the database fails.
pub async fn rotate_key(
    db: &DatabaseConnection,
    keyring: &Keyring,
    and_revoke: bool,
    now: Moment,
) -> Result<(), KeyError> {
    let transaction = db::begin(db).await?;
    keys::retire(&transaction, keyring, Purpose::WebPush, now).await?;
    let mut told = Purpose::WebPush.name();
    if and_revoke {
        told.push_str(", those of before revoked");
        for id in keys::retired(&transaction, Purpose::WebPush).await? {
            keys::forget(&transaction, id).await?;
        }
    }
    Entry::new(INSTALLATION, Action::KeyReplaced)
        .detail(told)
        .record(&transaction, keyring, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Forgets keys that were replaced, once no phone is subscribed for them.
///
/// # Errors
/// When a key does not open or the database fails.
pub async fn forget_keys(state: &State) -> Result<(), KeyError> {
    let (db, now) = (&state.db, state.now());
    for key in keys::list(db).await? {
        let is_over = key.retired_at.is_some_and(|at| at + LATE < now);
        if is_over && key.purpose == Purpose::WebPush.name() {
            let pair = state.keys.checking(db, Purpose::WebPush, key.id).await?;
            if device::subscribed_for(db, &point(&pair)?).await? == 0 {
                keys::forget(db, key.id).await?;
            }
        }
    }
    Ok(())
}

/// How many phones are subscribed for each key.
///
/// # Errors
/// When a key does not open or the database fails.
pub async fn phones_by_key(
    db: &DatabaseConnection,
    keyring: &Keyring,
) -> Result<Vec<(uuid::Uuid, u64)>, KeyError> {
    let mut counted = Vec::new();
    for pair in keyring.pairs(db, Purpose::WebPush).await? {
        counted.push((pair.id, device::subscribed_for(db, &point(&pair)?).await?));
    }
    Ok(counted)
}
