//! Sends messages to native apps.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use super::{
    account::{self, Account},
    answer::{self, Pass},
    message,
    token::Tokens,
};
use crate::{
    platform::{
        clock::Moment,
        outbox::{Fate, Parcel},
        outgoing::NotSent,
        secret::Secret,
    },
    push::{
        attempt::{Attempt, Unready},
        means::Means,
        message::Told,
    },
};

/// Longest answer that is read, bytes.
const LONGEST: usize = 16_384;

/// Why no native app is woken, and who mends it.
const NO_ACCOUNT: &str = "there is no service account for FCM: an owner brings one on the app's page Push, or whoever \
    runs the server does, by axiam push account set FILE";

/// The way to native apps.
#[derive(Default)]
pub struct Fcm(Tokens);

/// A message for an app, and the token that lets it in.
pub(in crate::push) struct Ready<'f> {
    tokens: &'f Tokens,
    account: Account,
    token: Arc<Secret>,
    told: Told,
    registration: &'f str,
}

impl Fcm {
    /// Gets what is needed to tell the app with this registration token.
    pub(in crate::push) async fn ready<'f>(
        &'f self,
        means: &Means<'_>,
        parcel: &Parcel,
        registration: &'f str,
    ) -> Result<Ready<'f>, Unready> {
        let site_id = parcel.site_id.unwrap_or_default();
        let Some(account) = account::account_for(means.db, site_id).await? else {
            return Err(Unready::refused(NO_ACCOUNT));
        };
        let Some(told) = Told::read(&parcel.body) else {
            return Err(Unready::refused("what is to be said cannot be read"));
        };
        let token = self.0.get(means, &account).await.map_err(Unready::later)?;
        Ok(Ready {
            tokens: &self.0,
            account,
            token,
            told,
            registration,
        })
    }
}

impl Ready<'_> {
    /// One attempt to tell the app.
    pub(in crate::push) async fn post(
        self,
        means: &Means<'_>,
        parcel: &Parcel,
        now: Moment,
    ) -> Attempt {
        let api = &means.settings.push.fcm;
        let project = &self.account.project_id;
        let url = Url::parse(&format!("{api}/v1/projects/{project}/messages:send"));
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token.reveal()));
        let (Ok(url), Ok(bearer)) = (url, bearer) else {
            return Attempt::of(Fate::Refused("push.fcm is no address".to_owned()));
        };
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        let body = message::body(parcel, &self.told, self.registration, now).to_string();
        let time = (now, Some(parcel.expires_at));
        let sent = means
            .outgoing
            .post_within(&url, headers, body.into_bytes(), LONGEST, time);
        match sent.await {
            Ok(reply) => {
                let (attempt, pass) = answer::read(&reply);
                if pass == Pass::Drop {
                    self.tokens.forget(&self.account, &self.token).await;
                }
                attempt
            }
            Err(NotSent::Forbidden(why) | NotSent::Failed(why)) => Attempt::unheard(why),
        }
    }
}
