//! `/`: what runs here, and what a newcomer does next.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    assets::Asset,
    layout::{Layout, Page},
};
use crate::{http::error::ApiResult, platform::state::Shared};

#[derive(Template)]
#[template(path = "pages/home.html")]
struct Home {
    layout: Layout,
    /// This server's address, without a slash at its end.
    url: String,
    widget: &'static Asset,
    /// Whether `/demo` is served.
    with_demo: bool,
}

impl Page for Home {
    fn layout(&self) -> &Layout {
        &self.layout
    }
}

pub(super) async fn home(State(state): State<Shared>, with_demo: bool) -> ApiResult<Response> {
    const WIDGET: &Asset = Asset::named("widget/facial-login.js");
    let page = Home {
        layout: Layout::new(),
        url: state.settings.public_url(),
        widget: WIDGET,
        with_demo,
    };
    page.answer(StatusCode::OK)
}
