//! A push that tells of nothing.

use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    attempt::{Attempt, Taught},
    fcm::Fcm,
    means::Means,
    message::Told,
    ready::Ready,
    store::KIND,
};
use crate::{
    device::{Device, Push},
    platform::{
        clock::seconds,
        outbox::{self, Draft, Fate, Stage},
    },
    site::Site,
};

/// What came of a trial on one phone, with what the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The push service took it.
    Taken(String),
    /// The push service knows the phone no more.
    Gone(String),
    /// It was refused for good.
    Refused(String),
    /// The push service does not take it now.
    NotNow(String),
    /// No push service was reached.
    Unreached(String),
    /// Nothing wakes this phone.
    Inbox,
}

impl Tried {
    fn of(Attempt { fate, taught }: Attempt) -> Self {
        match (fate, taught) {
            (Fate::Delivered(said), _) => Self::Taken(said),
            (Fate::Refused(said), Taught::SubscriptionGone | Taught::AppGone) => Self::Gone(said),
            (Fate::Refused(said), _) => Self::Refused(said),
            (Fate::Later(said, _), Taught::Silence) => Self::Unreached(said),
            (Fate::Later(said, _), _) => Self::NotNow(said),
        }
    }

    /// In a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Taken(_) => "delivered",
            Self::Gone(_) => "gone",
            Self::Refused(_) => "refused",
            Self::NotNow(_) => "not now",
            Self::Unreached(_) => "not reached",
            Self::Inbox => "inbox alone",
        }
    }

    /// In a sentence, with what to do.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Taken(said) => format!(
                "The push service took it: {said}. The phone shows it as soon as it is on and reachable."
            ),
            Self::Gone(said) => format!(
                "The push service knows this phone no more: {said}. Once its person opens the phone app, it can be woken again."
            ),
            Self::Refused(said) => {
                format!("Not delivered: {said}. Trying again does not help until that is mended.")
            }
            Self::NotNow(said) => format!(
                "The push service does not take it now: {said}. Somebody who signs in is pushed to again for as long as they wait."
            ),
            Self::Unreached(said) => format!(
                "No push service was reached: {said}. Somebody who signs in is pushed to again for as long as they wait."
            ),
            Self::Inbox => {
                "It is woken by nothing, and finds requests when its person opens the phone app."
                    .to_owned()
            }
        }
    }

    /// Whether a phone that is to be woken was not.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        !matches!(self, Self::Taken(_) | Self::Inbox)
    }
}

/// Sends a push that tells of nothing to a phone, at once and once. What came of it; the phone stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn try_out(
    means: &Means<'_>,
    fcm: &Fcm,
    site: &Site,
    device: &Device,
) -> Result<Tried, DbErr> {
    if device.push == Push::None {
        return Ok(Tried::Inbox);
    }
    let id = Uuid::now_v7();
    let draft = Draft {
        site_id: Some(site.id),
        kind: KIND,
        target_id: device.id,
        subject_id: id,
        topic: "test".into(),
        body: Told::test(means.settings, site, device.id, id).text(),
        life: seconds(means.settings.sign_on.lifetime),
    };
    let patience = means.outgoing.patience();
    let taken = outbox::put_taken(means.db, draft, patience, means.now()).await?;
    let attempt = match Ready::new(means, fcm, &taken.parcel, device).await {
        Ok(ready) => ready.post(means, &taken.parcel).await,
        Err(unready) => unready.settled()?,
    };
    let (stage, said) = match &attempt.fate {
        Fate::Delivered(said) => (Stage::Delivered, said),
        Fate::Later(said, _) | Fate::Refused(said) => (Stage::Dead, said),
    };
    outbox::finish(means.db, &taken, (stage, said), None, means.now()).await?;
    Ok(Tried::of(attempt))
}
