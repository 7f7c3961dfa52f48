//! Tokens that Google gives a service account for its signature (RFC 7523), kept for as long as they are good.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use super::{account::Account, key_file::TOKENS};
use crate::{
    platform::{clock::Moment, keys::Keyring, secret::Secret},
    push::means::Means,
};

/// What a token is asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// Life of what is signed; Google takes an hour at most.
const SIGNED: TimeDelta = TimeDelta::hours(1);

/// A token this close to its end is not used any more.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// How long nobody asks again after a refusal: many messages may wait for the one token.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// Longest answer that is read, bytes.
const LONGEST: usize = 16_384;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

enum Known {
    Token(Arc<Secret>, Moment),
    Refused(String, Moment),
}

type Slot = Arc<tokio::sync::Mutex<Option<Known>>>;

/// The tokens of this server's service accounts.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Slot>>);

impl Tokens {
    /// A token for the account; of many who want one at once, one asks.
    pub(super) async fn get(
        &self,
        means: &Means<'_>,
        account: &Account,
    ) -> Result<Arc<Secret>, String> {
        let slot = self.slot(account);
        let mut known = slot.lock().await;
        // Whoever asked meanwhile may have taken long.
        let now = means.now();
        match &*known {
            Some(Known::Token(token, until)) if now < *until => return Ok(token.clone()),
            Some(Known::Refused(why, until)) if now < *until => return Err(why.clone()),
            _ => {}
        }
        match ask(means, account).await {
            Ok((token, until)) => {
                let token = Arc::new(token);
                *known = Some(Known::Token(token.clone(), until));
                Ok(token)
            }
            Err(why) => {
                *known = Some(Known::Refused(why.clone(), means.now() + PAUSE));
                Err(why)
            }
        }
    }

    /// A token was not taken.
    pub(super) async fn forget(&self, account: &Account, token: &Secret) {
        let slot = self.slot(account);
        let mut known = slot.lock().await;
        // Somebody else may have a newer one already.
        if matches!(&*known, Some(Known::Token(kept, _)) if kept.reveal() == token.reveal()) {
            *known = None;
        }
    }

    fn slot(&self, account: &Account) -> Slot {
        let name = format!(
            "{} {} {}",
            account.scope, account.client_email, account.key_id
        );
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(name).or_default().clone()
    }
}

async fn ask(means: &Means<'_>, account: &Account) -> Result<(Secret, Moment), String> {
    let asked = means.now();
    let signed = sign(means.keys, account, asked)?;
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &signed)
        .finish();
    let url = Url::parse(&means.settings.push.fcm_tokens).map_err(|error| error.to_string())?;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    let sent = means
        .outgoing
        .post(&url, headers, body.into_bytes(), LONGEST, asked);
    let reply = sent
        .await
        .map_err(|why| format!("no token from Google: {why}"))?;
    if reply.status != 200 {
        let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
        return Err(format!(
            "no token from Google: {} {} {}",
            reply.status, refusal.error, refusal.error_description
        )
        .trim_end()
        .to_owned());
    }
    let given: Given = serde_json::from_slice(&reply.body)
        .map_err(|_| "no token from Google: its answer cannot be read".to_owned())?;
    let life = TimeDelta::try_seconds(given.expires_in).unwrap_or_default();
    let until = asked + (life - MARGIN).max(TimeDelta::zero());
    Ok((Secret::from_text(&given.access_token), until))
}

fn sign(keys: &Keyring, account: &Account, now: Moment) -> Result<String, String> {
    let file = account.open(keys).map_err(|error| error.to_string())?;
    let key = file.signing().map_err(|error| error.to_string())?;
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(account.key_id.clone());
    let claims = Claims {
        iss: &account.client_email,
        scope: SCOPE,
        aud: TOKENS,
        iat: now.timestamp(),
        exp: (now + SIGNED).timestamp(),
    };
    jsonwebtoken::encode(&header, &claims, &key).map_err(|error| error.to_string())
}
