//! The code that pairs a phone, on a page.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{EnrolmentError, FlowType, code};
use crate::{
    client, dashboard_pages,
    http::error::ApiResult,
    pages::{
        dashboard::{Fields, Frame, Ids, Need, Operator, Routes, layout},
        layout::{Layout, Page},
    },
    platform::{qr, state::Shared},
};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    let code = "/dashboard/apps/{site}/clients/{client}/code";
    Routes::new().post(Need::Operator, code, show)
}

#[derive(Template)]
#[template(path = "enrolment/pages/code.html")]
struct CodePage {
    layout: Layout,
    frame: Frame,
    email: String,
    client_id: uuid::Uuid,
    url: String,
    /// Side of the drawing, modules.
    side: usize,
    /// The dark modules, as an SVG path.
    path: String,
    minutes: u32,
    is_signup: bool,
    /// When the code was made, microseconds since 1970.
    since: i64,
}

dashboard_pages!(live CodePage);

#[derive(Deserialize)]
pub(super) struct Wanted {
    flow_type: FlowType,
}

async fn show(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
    Fields(wanted): Fields<Wanted>,
) -> ApiResult<Response> {
    let client = client::find(&state.db, &access.site, ids.get("client")?).await?;
    let url = code::offer(&state, &client, wanted.flow_type).await?;
    let (side, path) = qr::svg_path(&url).map_err(EnrolmentError::from)?;
    let page = CodePage {
        layout: layout(),
        frame: access.frame("clients").await?,
        email: client.email,
        client_id: client.id,
        url,
        side,
        path,
        minutes: state.settings.enrolment.lifetime.div_ceil(60),
        since: state.now().timestamp_micros(),
        is_signup: wanted.flow_type == FlowType::Signup,
    };
    page.answer(StatusCode::OK)
}
