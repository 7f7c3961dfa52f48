//! What is decided about a client's phone at the dashboard.

use axum::{extract::State, response::Response};

use crate::{
    device::flow::{self, By, Decision},
    http::error::{ApiError, ApiResult, Code},
    pages::dashboard::{Access, Ids, Need, Operator, Routes},
    platform::state::{Shared, State as AppState},
};

/// The dashboard's routes of this slice.
#[must_use]
pub fn routes() -> Routes {
    const PHONE: &str = "/dashboard/apps/{site}/clients/{client}/devices/{device}/unpair";
    const CONFIRM: &str = "/dashboard/apps/{site}/clients/{client}/devices/{device}/confirm";
    Routes::new()
        .post(Need::Operator, PHONE, unpair)
        .post(Need::Operator, CONFIRM, confirm)
}

async fn unpair(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
) -> ApiResult<Response> {
    let sentence = "The phone is unpaired. It can do nothing here any more.";
    decide(&state, &access, &ids, (Decision::Unpair, sentence)).await
}

async fn confirm(
    State(state): State<Shared>,
    Operator(access): Operator,
    ids: Ids,
) -> ApiResult<Response> {
    let sentence = "The phone is confirmed as theirs.";
    decide(&state, &access, &ids, (Decision::Confirm, sentence)).await
}

async fn decide(
    state: &AppState,
    access: &Access,
    ids: &Ids,
    (decision, sentence): (Decision, &str),
) -> ApiResult<Response> {
    let (client, device) = (ids.get("client")?, ids.get("device")?);
    if !flow::decide(state, &access.site, client, device, decision, By::Site).await? {
        return Err(ApiError::new(Code::ClientNotFound, "no such device"));
    }
    access
        .back_to(&format!("/clients/{client}"), sentence)
        .await
}
