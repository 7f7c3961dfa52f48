//! How far somebody is with the code that they were shown: the page of the code follows this one.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use crate::{
    client, dashboard_pages, device, face,
    http::{error::ApiResult, extract::Query},
    pages::{
        dashboard::{
            Frame, Ids, Operator, layout,
            live::{self, Live},
        },
        layout::{Layout, Page},
    },
    platform::{
        clock::{Moment, seconds},
        state::Shared,
    },
};

#[derive(Template)]
#[template(path = "client/pages/pairing.html")]
struct PairingPage {
    layout: Layout,
    frame: Frame,
    email: String,
    client_id: uuid::Uuid,
    version: String,
    /// What the phone is called that was paired by the code.
    phone: Option<String>,
    has_face: bool,
    /// Whether nobody can pair by the code any more.
    is_over: bool,
}

dashboard_pages!(live PairingPage);

#[derive(Deserialize)]
pub(super) struct Since {
    /// When the code was shown, microseconds since 1970: phones that were there before are not its.
    #[serde(default)]
    since: i64,
    /// `new` where the face that is enrolled takes the place of another one.
    #[serde(default)]
    face: String,
}

pub(super) async fn page(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
    Query(asked): Query<Since>,
    live: Live,
) -> ApiResult<Response> {
    let client = client::find(&state.db, &access.site, ids.get("client")?).await?;
    let since = Moment::from_timestamp_micros(asked.since).unwrap_or(Moment::UNIX_EPOCH);
    let devices = device::paired(&state.db, access.site.id, client.id, state.now()).await?;
    let ours = devices.iter().filter(|device| device.created_at >= since);
    let phone = ours.max_by_key(|device| device.created_at);
    let phone = phone.map(|device| device.name.clone());
    let has_face = if asked.face == "new" {
        face::is_enrolled_since(&state.db, access.site.id, client.id, since).await?
    } else {
        face::is_enrolled(&state, client.id).await?
    };
    let end = since.checked_add_signed(seconds(state.settings.enrolment.lifetime));
    let is_over = end.is_some_and(|end| end <= state.now());
    let version = live::version(&(&phone, has_face, is_over));
    if let Some(unchanged) = live.unchanged(&version) {
        return Ok(unchanged);
    }
    let page = PairingPage {
        layout: layout(),
        frame: access.frame("clients").await?,
        email: client.email,
        client_id: client.id,
        version,
        phone,
        has_face,
        is_over,
    };
    page.answer(StatusCode::OK)
}
