//! Adding an app: any address is pasted, its domain is shown and checked, then the keys are made.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::connect::Lines;
use crate::{
    account::{self, By, Role},
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{AppTag, Fields, Frame, SignedIn, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
    site::{self, Domain, DomainError, NewSite},
};

#[derive(Template)]
#[template(path = "site/pages/new.html")]
struct NewPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    url: String,
    /// What was found in the address, once it was pasted.
    found: Option<Found>,
}

dashboard_pages!(NewPage);

/// A domain, and what is to be thought of before it is registered.
struct Found {
    domain: String,
    /// The id that the app will have, so that the form makes one app however often it is sent.
    id: Uuid,
    notes: Vec<String>,
    is_local: bool,
}

#[derive(Template)]
#[template(path = "site/pages/created.html")]
struct CreatedPage {
    layout: Layout,
    frame: Frame,
    new: NewSite,
    lines: Lines,
}

dashboard_pages!(CreatedPage);

pub(super) async fn page(signed_in: SignedIn) -> ApiResult<Response> {
    let page = NewPage {
        layout: layout(),
        frame: signed_in.frame("apps").await?,
        error: None,
        url: String::new(),
        found: None,
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    url: String,
    /// There once the domain was seen.
    id: Option<Uuid>,
    #[serde(default)]
    test: String,
}

/// What is wrong with an address, for the person who pasted it.
fn sentence(error: DomainError) -> &'static str {
    match error {
        DomainError::TooLong => "This address is too long to have a domain in it.",
        DomainError::Malformed => {
            "There is no domain in this. Paste the address of your site, such as https://shop.example.com/login."
        }
        DomainError::PublicSuffix => {
            "Others register their sites under this name. Paste the address of your own site."
        }
    }
}

/// What is to be thought of before this domain is registered.
fn notes(domain: &Domain, known: &[(site::Site, Role)]) -> (Vec<String>, bool) {
    let mut notes = Vec::new();
    let name = domain.as_str();
    let is_local = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok();
    if is_local {
        notes.push(
            "This is an address of a machine, which is good for trying out. People need a domain."
                .to_owned(),
        );
    }
    let (unicode, _) = idna::domain_to_unicode(name);
    if unicode != name {
        notes.push(format!(
            "People read it as {unicode}. Look twice: letters of other scripts can look alike."
        ));
    }
    if known.iter().any(|(site, _)| site.domain == name) {
        notes.push(
            "You have an app with this domain already. Its clients and this one’s never meet."
                .to_owned(),
        );
    }
    (notes, is_local)
}

pub(super) async fn create(
    State(state): State<Shared>,
    signed_in: SignedIn,
    Fields(wanted): Fields<Wanted>,
) -> ApiResult<Response> {
    let frame = signed_in.frame("apps").await?;
    let mut page = NewPage {
        layout: layout(),
        frame,
        error: None,
        url: wanted.url,
        found: None,
    };
    let domain = match Domain::parse(&page.url) {
        Ok(domain) => domain,
        Err(error) => {
            page.error = Some(sentence(error).to_owned());
            return page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let most = state.settings.limits.apps_per_account;
    if !signed_in.account.is_administrator
        && account::count_owned(&state.db, signed_in.account.id).await? >= u64::from(most)
    {
        let sentence = match most {
            0 => "Here, whoever runs the installation adds apps. Ask them for one.".to_owned(),
            most => format!(
                "You own {most} apps, which is as many as an account may here. Ask whoever runs the installation for another."
            ),
        };
        page.error = Some(sentence);
        return page.answer(StatusCode::FORBIDDEN);
    }
    let Some(id) = wanted.id else {
        let known = account::sites_of(&state.db, &signed_in.account).await?;
        let (notes, is_local) = notes(&domain, &known);
        page.found = Some(Found {
            domain: domain.to_string(),
            id: Uuid::new_v4(),
            notes,
            is_local,
        });
        return page.answer(StatusCode::OK);
    };
    let now = state.now();
    let Some(mut new) = site::create_as(&state.db, &state.keys, id, &domain, now).await? else {
        signed_in
            .say("This form was sent before. The app is there; its secret key is shown only once.")
            .await?;
        return Ok(Redirect::to("/dashboard").into_response());
    };
    let at = (signed_in.account.id, id);
    let role = (Role::Owner, By::account(&signed_in.account));
    account::give_role(&state.db, &state.keys, at, role, now)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    if wanted.test == "on" {
        new.site.settings = site::set_test_mode(&state.db, &state.keys, id, true, now).await?;
    }
    let mut frame = page.frame;
    frame.app = Some(AppTag::of(&new.site, Role::Owner));
    frame.here = "keys";
    let page = CreatedPage {
        layout: layout(),
        frame,
        lines: Lines::of(&state, &new.site, Some(new.secret_key.reveal())),
        new,
    };
    page.answer(StatusCode::OK)
}
