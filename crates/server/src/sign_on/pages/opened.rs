//! An attempt that is opened beside the list: which phone answered, what it had to show, and which phones were told.

use uuid::Uuid;

use super::row::{Row, dressed};
use crate::{
    device::{self, Device},
    http::error::ApiResult,
    pages::dashboard::When,
    platform::{clock::Moment, state::State as AppState},
    push,
    sign_on::{SignOn, State, tracker},
    site::{Liveness, Site},
};

/// An attempt as it is kept, with its pushes and the phones that they and its answer name.
#[derive(Debug)]
pub(super) struct Kept {
    attempt: SignOn,
    pushes: Vec<push::Push>,
    phones: Vec<Phone>,
}

/// A phone, as far as it matters here: when it was last seen changes all the time.
#[derive(Debug)]
struct Phone {
    id: Uuid,
    name: String,
    unpaired_at: Option<Moment>,
}

impl From<Device> for Phone {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            name: device.name,
            unpaired_at: device.revoked_at,
        }
    }
}

/// The same for people.
pub(super) struct Opened {
    pub(super) row: Row,
    pub(super) phone: Answered,
    /// How it had to be shown that somebody is there.
    pub(super) liveness: &'static str,
    /// Which phones were told, and how far that came.
    pub(super) pushes: Vec<Told>,
}

/// Which phone answered.
pub(super) struct Answered {
    pub(super) name: String,
    /// Since when it is paired no more.
    pub(super) unpaired: Option<When>,
}

/// A phone that was told of an attempt.
pub(super) struct Told {
    pub(super) phone: String,
    /// How it was to be woken.
    pub(super) kind: &'static str,
    /// How far that came.
    pub(super) told: String,
}

impl Kept {
    /// An attempt of a site, if it is one.
    pub(super) async fn find(
        state: &AppState,
        site: &Site,
        id: Option<Uuid>,
    ) -> ApiResult<Option<Self>> {
        let Some(id) = id else { return Ok(None) };
        let Some(attempt) = tracker::find(&state.db, site.id, id).await? else {
            return Ok(None);
        };
        let pushes = push::of_sign_ons(&state.db, site.id, [id]).await?;
        let named = pushes.iter().map(|push| push.device_id);
        let named = named.chain(attempt.device_id);
        let phones = device::find_all(&state.db, site.id, named).await?;
        Ok(Some(Self {
            attempt,
            pushes,
            phones: phones.into_iter().map(Phone::from).collect(),
        }))
    }

    fn phone(&self, id: Uuid) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.id == id)
    }

    /// As people read it.
    pub(super) async fn opened(
        &self,
        state: &AppState,
        site: &Site,
        now: Moment,
    ) -> ApiResult<Option<Opened>> {
        let attempt = std::slice::from_ref(&self.attempt);
        let row = dressed(state, site, attempt, now).await?.pop();
        let told = |push: &push::Push| Told {
            phone: self
                .phone(push.device_id)
                .map_or_else(String::new, |phone| phone.name.clone()),
            kind: push.kind_told(),
            told: push.told(),
        };
        Ok(row.map(|row| Opened {
            row,
            phone: self.answered(now),
            liveness: liveness(&self.attempt),
            pushes: self.pushes.iter().map(told).collect(),
        }))
    }

    fn answered(&self, now: Moment) -> Answered {
        let attempt = &self.attempt;
        let phone = attempt.device_id.and_then(|id| self.phone(id));
        let name = match (attempt.device_id, phone) {
            (_, Some(phone)) => &phone.name,
            (Some(_), None) => "one that is forgotten",
            (None, _) if attempt.test_identity.is_some() => "none: a test identity",
            (None, _) if attempt.decoy => "none: nobody was asked",
            (None, _) if attempt.state == State::Pending => "none yet",
            (None, _) => "none",
        };
        let unpaired = phone.and_then(|phone| phone.unpaired_at);
        Answered {
            name: name.to_owned(),
            unpaired: unpaired.map(|at| When::new(at, now)),
        }
    }
}

/// How it had to be shown that somebody is there, in words.
fn liveness(attempt: &SignOn) -> &'static str {
    match attempt.liveness {
        Some(Liveness::Active) => "active: does what is asked",
        Some(Liveness::Passive) => "passive: by the picture alone",
        Some(Liveness::Off) => "not asked for",
        None => "no scan was begun",
    }
}
