//! Carries pushes to phones, each by the way that the phone has.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use sea_orm::DbErr;

use super::{
    attempt::{Attempt, Taught},
    fcm::Fcm,
    means::Means,
    store::{self, KIND, Noted},
    web_push,
};
use crate::{
    device::{self, Device, Push},
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

/// Carries pushes to phones.
pub struct PushCourier {
    outgoing: Arc<Outgoing>,
    fcm: Fcm,
}

impl PushCourier {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(outgoing: Arc<Outgoing>) -> Self {
        Self {
            outgoing,
            fcm: Fcm::default(),
        }
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
        if !store::is_open(means.db, parcel, means.now).await? {
            return Ok(Fate::Refused("the sign-on is over".into()));
        }
        if store::has_arrived(means.db, parcel).await? {
            return Ok(Fate::Delivered("the phone has it".into()));
        }
        let device = device::find(
            means.db,
            parcel.site_id.unwrap_or_default(),
            parcel.target_id,
        )
        .await?;
        let Some(device) = device.filter(|device| device.revoked_at.is_none()) else {
            return Ok(Fate::Refused("the phone is not paired any more".into()));
        };
        let Attempt { fate, taught } = attempt(&means, &self.fcm, parcel, &device).await?;
        match taught {
            Taught::Nothing | Taught::Silence => {}
            Taught::SubscriptionGone => device::forget_push(means.db, &device, None).await?,
            Taught::AppGone => device::forget_push(means.db, &device, Some(means.now)).await?,
        }
        let noted = match &fate {
            Fate::Delivered(_) => Noted::Sent,
            Fate::Refused(said) => Noted::Refused(said),
            Fate::Later(said, _) => Noted::Failed(said),
        };
        store::note(means.db, parcel, noted, state.now()).await?;
        Ok(fate)
    }
}

/// One attempt to tell a phone.
pub(super) async fn attempt(
    means: &Means<'_>,
    fcm: &Fcm,
    parcel: &Parcel,
    device: &Device,
) -> Result<Attempt, DbErr> {
    match &device.push {
        Push::WebPush { subscription, key } => {
            web_push::post(means, parcel, (subscription, key.as_deref())).await
        }
        Push::Fcm { token } => fcm.post(means, parcel, token).await,
        Push::None => Ok(Attempt::of(Fate::Refused(
            "the phone is woken by nothing any more".into(),
        ))),
    }
}
