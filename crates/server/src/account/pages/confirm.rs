//! Confirming that one reads the mail of one's address: asked for on one's account's page, done by the letter's link.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

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

const CONFIRM: Deed = Deed {
    path: "/dashboard/confirm",
    heading: "Confirm your address",
    lead: "So that you can set another password by mail when you have forgotten yours.",
    done: "Your address is confirmed",
    then: "When you have forgotten your password, a letter lets you set another one.",
};

pub(super) async fn page(Query(link): Query<Link>) -> ApiResult<Response> {
    letter::page(&CONFIRM, link)
}

pub(super) async fn confirm(
    State(state): State<Shared>,
    caller: ClientIp,
    Fields(link): Fields<Link>,
) -> ApiResult<Response> {
    letter::follow(&state, &caller, &CONFIRM, link, account::confirm).await
}

pub(super) async fn ask(State(state): State<Shared>, signed_in: SignedIn) -> ApiResult<Response> {
    let account = &signed_in.account;
    match account::ask_to_confirm(&state, account).await {
        Ok(()) => {
            let sentence = format!(
                "A letter to {} is on its way. Follow its link.",
                account.email
            );
            signed_in.say(sentence).await?;
            Ok(Redirect::to("/dashboard/account").into_response())
        }
        Err(error) => own::show(&state, &signed_in, Some(error)).await,
    }
}
