//! Carries pushes to phones, each by the way that the phone has.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use sea_orm::{DatabaseTransaction, DbErr};

use super::{
    attempt::{Attempt, Taught},
    fcm::Fcm,
    means::Means,
    ready::Ready,
    sign_ons::SignOns,
    store::{self, KIND, Noted},
};
use crate::{
    device,
    platform::{
        outbox::{Courier, Fate, Pace, Parcel},
        outgoing::Outgoing,
        state::State,
    },
};

/// Within the life of a sign-on a push is of use only soon.
const PACE: Pace = Pace {
    first: 1.0,
    growth: 2.0,
    longest: 60.0,
};

/// What was looked up longer ago than this is looked up again before a push goes.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// Carries pushes to phones.
pub struct PushCourier {
    outgoing: Arc<Outgoing>,
    fcm: Fcm,
    sign_ons: Box<dyn SignOns>,
}

impl PushCourier {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(outgoing: Arc<Outgoing>, sign_ons: Box<dyn SignOns>) -> Self {
        Self {
            outgoing,
            fcm: Fcm::default(),
            sign_ons,
        }
    }

    /// What becomes of a push that nobody needs any more.
    async fn needless(&self, means: &Means<'_>, parcel: &Parcel) -> Result<Option<Fate>, DbErr> {
        let now = means.now();
        if parcel.expires_at <= now {
            // Somebody waited for it in vain, and is told so when it would go.
            return Ok(None);
        }
        let (site_id, id) = (parcel.site_id.unwrap_or_default(), parcel.subject_id);
        let is_open = self.sign_ons.is_open(means.db, site_id, id, now);
        if !is_open.await? {
            return Ok(Some(Fate::Refused("the sign-on is over".into())));
        }
        if store::has_arrived(means.db, parcel).await? {
            return Ok(Some(Fate::Delivered("the phone has it".into())));
        }
        Ok(None)
    }
}

#[async_trait]
impl Courier for PushCourier {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn longest(&self) -> TimeDelta {
        self.outgoing.patience()
    }

    async fn carry(&self, state: &State, parcel: &Parcel) -> Result<Fate, DbErr> {
        let means = Means::of(state, &self.outgoing);
        if let Some(fate) = self.needless(&means, parcel).await? {
            return Ok(fate);
        }
        let looked = means.now();
        let device = device::find(
            means.db,
            parcel.site_id.unwrap_or_default(),
            parcel.target_id,
        )
        .await?;
        let Some(device) = device.filter(|device| device.revoked_at.is_none()) else {
            return Ok(Fate::Refused("the phone is not paired any more".into()));
        };
        let attempt = match Ready::new(&means, &self.fcm, parcel, &device).await {
            Ok(ready) => {
                // Google may have taken its time with a token, and the person answered in it.
                if means.now() - looked >= FRESH
                    && let Some(fate) = self.needless(&means, parcel).await?
                {
                    return Ok(fate);
                }
                ready.post(&means, parcel).await
            }
            Err(unready) => unready.settled()?,
        };
        let Attempt { fate, taught } = attempt;
        match taught {
            Taught::Nothing | Taught::Silence => {}
            Taught::SubscriptionGone => device::forget_push(means.db, &device, None).await?,
            Taught::AppGone => device::forget_push(means.db, &device, Some(means.now())).await?,
        }
        let noted = match &fate {
            Fate::Delivered(_) => Noted::Sent,
            Fate::Refused(said) => Noted::Refused(said),
            Fate::Later(said, _) => Noted::Failed(said),
        };
        store::note(means.db, parcel, noted, means.now()).await?;
        Ok(fate)
    }

    async fn give_up(&self, db: &DatabaseTransaction, over: &[Parcel]) -> Result<(), DbErr> {
        for parcel in over {
            store::note_late(db, parcel).await?;
        }
        Ok(())
    }
}
