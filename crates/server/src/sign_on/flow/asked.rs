//! Whether somebody can be asked for a sign-on.

use super::{
    fatigue::{self, PUSHES_LOOKED_AT},
    origin::Origin,
};
use crate::{
    client::{Client, ClientError, TestClient, TestIdentity},
    device::{self, Device},
    face::{self, FaceError},
    limit::{self, Limited, Rule},
    platform::{clock::Moment, state::State},
    sign_on::{
        freezes,
        model::{SignOn, SignOnError},
        store,
    },
    site::Site,
};

/// What is asked for.
pub(in crate::sign_on) struct Wanted<'a> {
    /// The site that asks.
    pub(in crate::sign_on) site: &'a Site,
    /// Who is to sign on.
    pub(in crate::sign_on) client: &'a Client,
    /// Whether the site knows them. Else they are [nobody](super::nobody).
    pub(in crate::sign_on) is_known: bool,
    /// Whether who asks may learn why somebody cannot be asked, as a backend may. A page may not: it is given
    /// a decoy.
    pub(in crate::sign_on) learns_why: bool,
    /// Whether the page shows a number.
    pub(in crate::sign_on) with_number: bool,
}

impl<'a> Wanted<'a> {
    /// The test identity that this asks for, on a site in test mode.
    pub(super) fn test(&self) -> Option<TestClient<'a>> {
        TestClient::of(self.site, self.client).filter(|_| self.is_known)
    }
}

/// Whom a sign-on is asked of.
pub(super) struct Asked {
    pub(super) devices: Vec<Device>,
    pub(super) needs_number: bool,
    /// Why nobody is asked and the page is given a decoy.
    pub(super) decoy_for: Option<SignOnError>,
}

impl Asked {
    pub(super) async fn of(
        state: &State,
        wanted: &Wanted<'_>,
        origin: &Origin,
        now: Moment,
    ) -> Result<Self, SignOnError> {
        match wanted.test() {
            Some(test) => Self::of_test(test, now),
            None => Self::of_person(state, wanted, origin, now).await,
        }
    }

    /// A person, who must have a face and a phone, and not too many sign-ons. Everything is read before any of it
    /// decides: how long the answer takes must not tell what it would have been.
    async fn of_person(
        state: &State,
        wanted: &Wanted<'_>,
        origin: &Origin,
        now: Moment,
    ) -> Result<Self, SignOnError> {
        let (db, client) = (&state.db, wanted.client);
        let frozen = freezes::frozen_until(db, client.id, &origin.network(), now).await?;
        let has_face = face::is_enrolled(state, client.id).await?;
        let devices = device::pushable(db, client.site_id, client.id, now).await?;
        let mut lately = store::latest(db, client, PUSHES_LOOKED_AT).await?;

        let stated_freeze = frozen.filter(|_| origin.is_stated);
        let found = can_be_asked(wanted, stated_freeze, has_face, &devices, now);
        let decoy_for = match found {
            Ok(()) => None,
            // The person said so to this very page's network, and reads how long that lasts.
            Err(why @ SignOnError::Frozen { .. }) => return Err(why),
            Err(why) if wanted.learns_why => return Err(why),
            Err(why) => Some(why),
        };
        if decoy_for.is_none() {
            // Decoys bothered nobody.
            lately.retain(|sign_on| !sign_on.decoy);
        }
        pause(state, &lately, origin, now)?;
        // Last, so that pushes which would not reach the person do not use up theirs.
        limit::check(state, Rule::PushByClient, client.id).await?;
        Ok(Self {
            devices: if decoy_for.is_none() {
                devices
            } else {
                Vec::new()
            },
            // Refusing a backend that does not say for whom it asks would lock the person out.
            needs_number: frozen.is_some(),
            decoy_for,
        })
    }

    /// A test identity, which has no phone that could be bothered, and nothing to hide.
    fn of_test(test: TestClient<'_>, now: Moment) -> Result<Self, SignOnError> {
        test.client().pass(now)?;
        if test.identity() == TestIdentity::NoDevice {
            return Err(SignOnError::NoDevice);
        }
        Ok(Self {
            devices: Vec::new(),
            needs_number: false,
            decoy_for: None,
        })
    }
}

fn can_be_asked(
    wanted: &Wanted<'_>,
    frozen: Option<Moment>,
    has_face: bool,
    devices: &[Device],
    now: Moment,
) -> Result<(), SignOnError> {
    if !wanted.is_known {
        return Err(ClientError::NotFound.into());
    }
    wanted.client.pass(now)?;
    if let Some(until) = frozen {
        let seconds = u64::try_from((until - now).num_seconds()).unwrap_or(0);
        return Err(SignOnError::Frozen { seconds });
    }
    if !has_face {
        return Err(FaceError::NotEnrolled.into());
    }
    if devices.is_empty() {
        return Err(SignOnError::NoDevice);
    }
    Ok(())
}

/// Holds a push back that comes too soon after many that came to nothing.
fn pause(
    state: &State,
    lately: &[SignOn],
    origin: &Origin,
    now: Moment,
) -> Result<(), SignOnError> {
    let free = state.settings.sign_on.pushes_before_pause;
    match fatigue::pause(lately, &origin.network(), free, now) {
        None => Ok(()),
        Some(left) => Err(Limited::Over {
            rule: Rule::PushByClient,
            retry_after: left,
        }
        .into()),
    }
}
