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
    account::{self, Added, Role},
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{AppTag, Fields, Frame, SignedIn, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
    site::{self, Domain, DomainError, NewSite, SiteError},
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
    is_test: bool,
    /// Further origins, as they were typed.
    origins: String,
    /// What is wrong with them.
    wrong: Option<String>,
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
    #[serde(default)]
    origins: String,
}

impl Found {
    fn of(domain: &Domain, known: &[(site::Site, Role)]) -> Self {
        let (notes, is_local) = notes(domain, known);
        Self {
            domain: domain.to_string(),
            id: Uuid::new_v4(),
            notes,
            is_test: is_local,
            origins: String::new(),
            wrong: None,
        }
    }
}

/// The setting of origins for a domain with further ones; an empty one stands for the domain alone.
fn origins(domain: &Domain, further: &str) -> String {
    match further.trim() {
        "" => String::new(),
        further => format!("{domain}, www.{domain}, {further}"),
    }
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

fn too_many(mut page: NewPage, most: u32) -> ApiResult<Response> {
    let sentence = match most {
        0 => "Here, whoever runs the installation adds apps. Ask them for one.".to_owned(),
        most => format!(
            "You own {most} apps, which is as many as an account may here. Ask whoever runs the installation for another."
        ),
    };
    page.error = Some(sentence);
    page.answer(StatusCode::FORBIDDEN)
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
    if account::owns_enough(&state.db, &state, &signed_in.account).await? {
        return too_many(page, state.settings.limits.apps_per_account);
    }
    let Some(id) = wanted.id else {
        let known = account::sites_of(&state.db, &signed_in.account).await?;
        page.found = Some(Found::of(&domain, &known));
        return page.answer(StatusCode::OK);
    };
    let mut new = NewSite::at(&domain, state.now());
    new.site.id = id;
    let settings = new
        .site
        .settings
        .with("origins", &origins(&domain, &wanted.origins));
    match settings {
        Ok(settings) => new.site.settings = settings,
        Err(error) => {
            let SiteError::Setting { reason, .. } = error else {
                return Err(error.into());
            };
            page.found = Some(Found {
                domain: domain.to_string(),
                id,
                notes: Vec::new(),
                is_test: wanted.test == "on",
                origins: wanted.origins,
                wrong: Some(reason),
            });
            return page.answer(StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    new.site.settings.test_mode = wanted.test == "on";
    let added = account::add_app(&state, &signed_in.account, new).await;
    let new = match added.map_err(|error| ApiError::internal(&error))? {
        Added::New(new) => *new,
        Added::TooMany => return too_many(page, state.settings.limits.apps_per_account),
        Added::There => {
            signed_in
                .say(
                    "This form was sent before. The app is there; its secret key is shown only once.",
                )
                .await?;
            return Ok(Redirect::to("/dashboard").into_response());
        }
    };
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
