//! One person: lock, face, phones.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    client::{self, Client, store},
    dashboard_pages,
    device::{self, Device, Standing},
    face,
    http::error::ApiResult,
    pages::{
        dashboard::{Frame, Ids, Operator, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
};

#[derive(Template)]
#[template(path = "client/pages/one.html")]
struct OnePage {
    layout: Layout,
    frame: Frame,
    client: Client,
    /// The client's address, below which forms are sent.
    own: String,
    known: When,
    /// What a locked client reads, if they are.
    lock: Option<String>,
    has_face: bool,
    consent: Option<Agreed>,
    phones: Vec<Phone>,
}

/// What they agreed to last, on their phone.
struct Agreed {
    version: String,
    given: When,
    withdrawn: Option<When>,
}

dashboard_pages!(OnePage);

struct Phone {
    device: Device,
    standing: Standing,
    paired: When,
    seen: When,
}

impl Phone {
    fn system(&self) -> &'static str {
        match self.device.platform {
            device::Platform::Ios => "iPhone",
            device::Platform::Android => "Android",
            device::Platform::Web => "browser",
        }
    }
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    ids: Ids,
) -> ApiResult<Response> {
    let now = state.now();
    let client = client::find(&state.db, &access.site, ids.get("client")?).await?;
    let devices = device::paired(&state.db, access.site.id, client.id, now).await?;
    let phones = devices.iter().map(|device| Phone {
        standing: Standing::among(device, &devices),
        paired: When::new(device.created_at, now),
        seen: When::new(device.last_seen_at, now),
        device: device.clone(),
    });
    let consent = face::last_consent(&state.db, access.site.id, client.id).await?;
    let page = OnePage {
        layout: layout(),
        frame: access.frame("clients").await?,
        own: format!("/dashboard/apps/{}/clients/{}", access.site.id, client.id),
        known: When::new(client.created_at, now),
        lock: client.pass(now).err().map(|lock| lock.to_string()),
        has_face: face::is_enrolled(&state, client.id).await?,
        consent: consent.map(|consent| Agreed {
            version: consent.version,
            given: When::new(consent.given_at, now),
            withdrawn: consent.withdrawn_at.map(|at| When::new(at, now)),
        }),
        phones: phones.collect(),
        client,
    };
    page.answer(StatusCode::OK)
}

pub(super) async fn unlock(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
) -> ApiResult<Response> {
    let id = ids.get("client")?;
    store::unlock(&state, &access.site, id, state.now()).await?;
    let sentence = "They are unlocked, and failures are counted anew.";
    access.back_to(&format!("/clients/{id}"), sentence).await
}
