//! The demo site's pages, under `/demo`.

mod backend;
mod sign_in;
mod sign_up;
mod visitor;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{Redirect, Response},
    routing::{get, post},
};
use tower_sessions::Session;

use self::{
    backend::{Backend, Caller},
    visitor::{Problem, SignedIn, Visitor},
};
use super::Demo;
use crate::{
    http::error::ApiResult,
    pages::{
        assets::Asset,
        layout::{Layout, May, Page},
    },
    platform::state::Shared,
};

/// What the pages stand on: the site's keys, and the API as its backend reaches it.
#[derive(Clone)]
struct Relying {
    demo: Arc<Demo>,
    api: Router,
}

/// The pages of a demo site that calls `api`.
pub fn router(demo: &Demo, api: Router) -> Router<Shared> {
    let relying = Relying {
        demo: Arc::new(demo.clone()),
        api,
    };
    Router::new()
        .route("/demo", get(home))
        .route("/demo/sign-up", post(sign_up::begin))
        .route("/demo/phone", get(sign_up::phone))
        .route("/demo/code.png", get(sign_up::code))
        .route("/demo/ask", post(sign_in::ask))
        .route("/demo/wait", get(sign_in::wait))
        .route("/demo/sign-in", post(sign_in::by_widget))
        .route("/demo/sign-out", post(sign_out))
        .layer(axum::Extension(relying))
}

#[derive(Template)]
#[template(path = "demo/pages/home.html")]
struct Home {
    layout: Layout,
    problem: Option<String>,
    signed_in: Option<SignedIn>,
    /// A widget token; empty where someone is signed in.
    token: String,
}

impl Page for Home {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn may(&self) -> &'static [May] {
        &[May::SendForms, May::Fetch]
    }
}

async fn home(
    State(_): State<Shared>,
    axum::Extension(relying): axum::Extension<Relying>,
    session: Session,
    caller: Caller,
) -> ApiResult<Response> {
    const WIDGET: &Asset = Asset::named("widget/facial-login.js");
    let visitor = Visitor(session);
    let mut problem = visitor.take::<Problem>().await?.map(|problem| problem.0);
    let signed_in = visitor.find().await?;
    let mut token = String::new();
    if signed_in.is_none() {
        match Backend::sign_in(&relying.demo, &relying.api, &caller, "widget").await? {
            Ok(backend) => token = backend.into_token(),
            Err(sentence) => problem = Some(sentence),
        }
    }
    let page = Home {
        layout: Layout::new().script(WIDGET),
        problem,
        signed_in,
        token,
    };
    page.answer(StatusCode::OK)
}

async fn sign_out(session: Session) -> ApiResult<Redirect> {
    Visitor(session).forget().await?;
    Ok(Redirect::to("/demo"))
}

/// Back to the first page, with a sentence that says why.
async fn back(visitor: &Visitor, sentence: String) -> ApiResult<Redirect> {
    visitor.remember(&Problem(sentence)).await?;
    Ok(Redirect::to("/demo"))
}
