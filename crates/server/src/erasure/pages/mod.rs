//! Erasing somebody from the dashboard, and the receipt.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{
    flow,
    receipt::{By, Receipt},
};
use crate::{
    client, dashboard_pages,
    http::error::ApiResult,
    pages::{
        dashboard::{Fields, Frame, Ids, Need, Notice, Operator, Routes, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    let path = "/dashboard/apps/{site}/clients/{client}/erase";
    Routes::new().post(Need::Operator, path, erase)
}

#[derive(Template)]
#[template(path = "erasure/pages/receipt.html")]
struct ReceiptPage {
    layout: Layout,
    frame: Frame,
    email: String,
    receipt: Receipt,
    signed: String,
}

dashboard_pages!(ReceiptPage);

#[derive(Deserialize)]
pub(super) struct Meant {
    #[serde(default)]
    email: String,
}

async fn erase(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
    Fields(meant): Fields<Meant>,
) -> ApiResult<Response> {
    let client = client::find(&state.db, &access.site, ids.get("client")?).await?;
    if meant.email.trim() != client.email {
        let sentence = format!(
            "Nothing was erased. Type {} to show that you mean it.",
            client.email
        );
        return access
            .back_to(&format!("/clients/{}", client.id), Notice::bad(sentence))
            .await;
    }
    let done = flow::erase(&state, &access.site, client.id, By::Site).await?;
    let page = ReceiptPage {
        layout: layout(),
        frame: access.frame("clients").await?,
        email: client.email,
        receipt: done.receipt,
        signed: done.signed,
    };
    page.answer(StatusCode::OK)
}
