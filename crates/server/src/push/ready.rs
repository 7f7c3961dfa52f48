//! A push that is ready to go: what lets it in was got, which may have taken its time.

use super::{
    attempt::{Attempt, Unready},
    fcm::{self, Fcm},
    means::Means,
    web_push,
};
use crate::{
    device::{Device, Push},
    platform::outbox::{Fate, LATE, Parcel},
};

/// A push that is ready to go, by the way that the phone has.
pub(super) enum Ready<'m> {
    /// To a browser's push service.
    Browser(web_push::Ready),
    /// To an app.
    App(Box<fcm::Ready<'m>>),
}

impl<'m> Ready<'m> {
    /// Gets what is needed to wake this phone.
    pub(super) async fn new(
        means: &Means<'_>,
        fcm: &'m Fcm,
        parcel: &Parcel,
        device: &'m Device,
    ) -> Result<Self, Unready> {
        match &device.push {
            Push::WebPush { subscription, key } => {
                let to = (subscription, key.as_deref());
                Ok(Self::Browser(
                    web_push::Ready::new(means, parcel, to).await?,
                ))
            }
            Push::Fcm { token } => {
                let ready = fcm.ready(means, parcel, token).await?;
                Ok(Self::App(Box::new(ready)))
            }
            Push::None => Err(Unready::refused("the phone is woken by nothing any more")),
        }
    }

    /// Posts it, unless its time is over by now. What it is told of the time that is left is true when it goes, and who
    /// does not take it within that time is left.
    pub(super) async fn post(self, means: &Means<'_>, parcel: &Parcel) -> Attempt {
        let now = means.now();
        if parcel.expires_at <= now {
            return Attempt::of(Fate::Later(LATE.to_owned(), None));
        }
        match self {
            Self::Browser(ready) => ready.post(means, parcel, now).await,
            Self::App(ready) => ready.post(means, parcel, now).await,
        }
    }
}
