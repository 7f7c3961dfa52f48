//! The apps of an account, and what failed lately on any of them.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    account::{self, Role},
    dashboard_pages,
    http::error::ApiResult,
    pages::{
        dashboard::{Frame, SignedIn, When, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
    sign_on::pages::Failures,
    site::Site,
};

#[derive(Template)]
#[template(path = "site/pages/apps.html")]
struct AppsPage {
    layout: Layout,
    frame: Frame,
    apps: Vec<Row>,
    failures: Failures,
}

dashboard_pages!(AppsPage);

/// An app as it is listed.
struct Row {
    site: Site,
    role: Role,
    created: When,
}

pub(super) async fn page(
    State(state): State<Shared>,
    signed_in: Result<SignedIn, crate::pages::dashboard::guard::Refusal>,
) -> ApiResult<Response> {
    let signed_in = match signed_in {
        Ok(signed_in) => signed_in,
        // Who comes here first sets it up.
        Err(_) if !account::any(&state.db).await? => {
            return Ok(Redirect::to("/dashboard/set-up").into_response());
        }
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let now = state.now();
    let apps = account::sites_of(&state.db, &signed_in.account).await?;
    let sites: Vec<&Site> = apps.iter().map(|(site, _)| site).collect();
    let failures = Failures::of_all(&state, &sites, now).await?;
    let page = AppsPage {
        layout: layout(),
        frame: signed_in.frame("apps").await?,
        apps: apps
            .into_iter()
            .map(|(site, role)| Row {
                created: When::new(site.created_at, now),
                site,
                role,
            })
            .collect(),
        failures,
    };
    page.answer(StatusCode::OK)
}
