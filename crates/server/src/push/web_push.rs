//! Sends pushes to browsers' push services (RFC 8030).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use url::Url;

use super::{
    attempt::{Attempt, Taught, Unready},
    encrypt::Recipient,
    means::Means,
    vapid,
};
use crate::{
    device::Subscription,
    platform::{
        clock::Moment,
        keys::KeyError,
        outbox::{Fate, Parcel},
        outgoing::{NotSent, Reply},
    },
};

/// A message for a browser, encrypted, and signed by the key that it subscribed for.
pub(super) struct Ready {
    url: Url,
    authorization: String,
    body: Vec<u8>,
}

impl Ready {
    /// Makes the message for the browser of this subscription, which is for this key.
    pub(super) async fn new(
        means: &Means<'_>,
        parcel: &Parcel,
        (subscription, key): (&Subscription, Option<&str>),
    ) -> Result<Self, Unready> {
        let Ok(url) = Url::parse(&subscription.endpoint) else {
            return Err(Unready::refused("the endpoint cannot be read"));
        };
        let body = Recipient::of(subscription).and_then(|to| to.encrypt(parcel.body.as_bytes()));
        let Some(body) = body else {
            return Err(Unready::refused("the subscription's keys are none"));
        };
        let authorization = match vapid::authorization(means, &url, key).await {
            Ok(Some(authorization)) => authorization,
            Ok(None) => return Err(Unready::Settled(gone("its key was taken back"))),
            Err(KeyError::Database(error)) => return Err(error.into()),
            Err(error) => return Err(Unready::later(error.to_string())),
        };
        Ok(Self {
            url,
            authorization,
            body,
        })
    }

    /// One attempt to tell the browser.
    pub(super) async fn post(self, means: &Means<'_>, parcel: &Parcel, now: Moment) -> Attempt {
        let headers = headers(parcel, self.authorization, now);
        let time = (now, Some(parcel.expires_at));
        let sent = means
            .outgoing
            .post_within(&self.url, headers, self.body, 0, time);
        match sent.await {
            Ok(reply) => read(&reply),
            // Whoever named it will not be served by trying again.
            Err(NotSent::Forbidden(why)) => Attempt::of(Fate::Refused(why)),
            Err(NotSent::Failed(why)) => Attempt::unheard(why),
        }
    }
}

fn gone(why: &str) -> Attempt {
    Attempt {
        fate: Fate::Refused(format!("the subscription is gone: {why}")),
        taught: Taught::SubscriptionGone,
    }
}

fn headers(parcel: &Parcel, authorization: String, now: Moment) -> HeaderMap {
    let left = (parcel.expires_at - now).num_seconds().max(0).to_string();
    // A later push about the same sign-on takes the place of one that was not delivered yet.
    let topic = URL_SAFE_NO_PAD.encode(parcel.subject_id.as_bytes());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (AUTHORIZATION, authorization),
        (CONTENT_ENCODING, "aes128gcm".into()),
        (CONTENT_TYPE, "application/octet-stream".into()),
        (HeaderName::from_static("urgency"), "high".into()),
        (HeaderName::from_static("ttl"), left),
        (HeaderName::from_static("topic"), topic),
    ] {
        // Letters, digits and signs of ASCII, all of them.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn read(reply: &Reply) -> Attempt {
    let status = reply.status;
    Attempt::of(match status {
        200..300 => Fate::Delivered(status.to_string()),
        404 | 410 => return gone(&status.to_string()),
        // What is wrong with the message stays wrong; of these only the limit and a slow line pass.
        400..=407 | 409..=428 | 430..500 => Fate::Refused(status.to_string()),
        _ => Fate::Later(status.to_string(), reply.retry_after),
    })
}
