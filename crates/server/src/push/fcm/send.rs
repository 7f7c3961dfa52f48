//! Sends messages to native apps.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use sea_orm::DbErr;
use url::Url;

use super::{account, answer, answer::Pass, message, token::Tokens};
use crate::{
    platform::{
        outbox::{Fate, Parcel},
        outgoing::NotSent,
    },
    push::{attempt::Attempt, means::Means, message::Told},
};

/// Longest answer that is read, bytes.
const LONGEST: usize = 16_384;

/// Why no native app is woken, and who mends it.
const NO_ACCOUNT: &str = "there is no service account for FCM: an owner brings one on the app's page Push, or whoever \
    runs the server does, by axiam push account set FILE";

/// The way to native apps.
#[derive(Default)]
pub struct Fcm(Tokens);

impl Fcm {
    /// One attempt to tell the app with this registration token.
    pub(in crate::push) async fn post(
        &self,
        means: &Means<'_>,
        parcel: &Parcel,
        registration: &str,
    ) -> Result<Attempt, DbErr> {
        let refused = |why: &str| Ok(Attempt::of(Fate::Refused(why.to_owned())));
        let Some(account) =
            account::account_for(means.db, parcel.site_id.unwrap_or_default()).await?
        else {
            return refused(NO_ACCOUNT);
        };
        let Some(told) = Told::read(&parcel.body) else {
            return refused("what is to be said cannot be read");
        };
        let token = match self.0.get(means, &account).await {
            Ok(token) => token,
            Err(why) => return Ok(Attempt::of(Fate::Later(why, None))),
        };
        let api = &means.settings.push.fcm;
        let url = format!("{api}/v1/projects/{}/messages:send", account.project_id);
        let (Ok(url), Ok(bearer)) = (
            Url::parse(&url),
            HeaderValue::try_from(format!("Bearer {}", token.reveal())),
        ) else {
            return refused("push.fcm is no address");
        };
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        let body = message::body(parcel, &told, registration, means.now).to_string();
        let sent = means
            .outgoing
            .post(&url, headers, body.into_bytes(), LONGEST, means.now);
        Ok(match sent.await {
            Ok(reply) => {
                let (attempt, pass) = answer::read(&reply);
                if pass == Pass::Drop {
                    self.0.forget(&account, &token).await;
                }
                attempt
            }
            Err(NotSent::Forbidden(why) | NotSent::Failed(why)) => Attempt::unheard(why),
        })
    }
}
