//! Another e-mail address: asked for on one's account's page, taken by the letter's link.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    letter::{self, Deed, Link},
    own,
};
use crate::{
    account,
    http::{error::ApiResult, extract::Query, request::ClientIp},
    pages::dashboard::{Fields, SignedIn},
    platform::state::Shared,
};

const MOVE: Deed = Deed {
    path: "/dashboard/new-address",
    heading: "Your new address",
    lead: "Your account gets this address in the place of the one before. Letters go here, and you sign in by it.",
    done: "Your account has this address now",
    then: "Sign in by it from now on. The address before was told, and links that were sent there are worth nothing.",
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    present: String,
    #[serde(default)]
    email: String,
}

pub(super) async fn ask(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(wanted): Fields<Wanted>,
) -> ApiResult<Response> {
    let asked = (wanted.present.as_str(), wanted.email.as_str());
    if !state.post.is_open() {
        return Ok(Redirect::to("/dashboard/account").into_response());
    }
    match account::ask_to_move(&state, &signed_in.account, asked).await {
        Ok(()) => {
            let sentence = format!(
                "A letter to {} is on its way. Follow its link within a day; until then your address stays as it is.",
                wanted.email.trim()
            );
            signed_in.say(sentence).await?;
            Ok(Redirect::to("/dashboard/account").into_response())
        }
        Err(error) => own::show_typed(&state, &signed_in, Some(error), wanted.email).await,
    }
}

pub(super) async fn page(Query(link): Query<Link>) -> ApiResult<Response> {
    letter::page(&MOVE, link)
}

pub(super) async fn take(
    State(state): State<Shared>,
    caller: ClientIp,
    Fields(link): Fields<Link>,
) -> ApiResult<Response> {
    letter::follow(&state, &caller, &MOVE, link, account::move_to).await
}
