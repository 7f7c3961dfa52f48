//! What a letter's link leads to: a page with one button, so that whoever looks into mail by machine changes nothing.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use serde::Deserialize;

use super::{sentence, status};
use crate::{
    account::AccountError,
    dashboard_pages,
    http::{error::ApiResult, request::ClientIp},
    limit::{self, Rule},
    pages::{
        dashboard::layout,
        layout::{Layout, Page},
    },
    platform::state::State,
};

/// What a link does, in the words of its page.
pub(super) struct Deed {
    /// Where the button leads.
    pub(super) path: &'static str,
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    /// The same when it is done.
    pub(super) done: &'static str,
    pub(super) then: &'static str,
}

#[derive(Template)]
#[template(path = "account/pages/letter.html")]
struct LetterPage {
    layout: Layout,
    deed: &'static Deed,
    error: Option<String>,
    token: String,
    is_done: bool,
}

dashboard_pages!(LetterPage);

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// The page with the button.
pub(super) fn page(deed: &'static Deed, link: Link) -> ApiResult<Response> {
    let page = LetterPage {
        layout: layout(),
        deed,
        error: None,
        token: link.token,
        is_done: false,
    };
    page.answer(StatusCode::OK)
}

/// Does what the link's token allows, and says how it went.
pub(super) async fn follow(
    state: &State,
    caller: &ClientIp,
    deed: &'static Deed,
    link: Link,
    act: impl AsyncFnOnce(&State, &str) -> Result<(), AccountError>,
) -> ApiResult<Response> {
    limit::check(state, Rule::SignInByIp, caller.network()).await?;
    let (error, status) = match act(state, &link.token).await {
        Ok(()) => (None, StatusCode::OK),
        Err(error) => {
            let status = status(&error);
            (Some(sentence(error)?), status)
        }
    };
    let page = LetterPage {
        layout: layout(),
        deed,
        is_done: error.is_none(),
        error,
        token: link.token,
    };
    page.answer(status)
}
