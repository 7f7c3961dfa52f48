//! Bearer tokens of sites and widgets.

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap,
        header::{AUTHORIZATION, ORIGIN},
        request::Parts,
    },
};

use crate::{
    audit::{self, Action, Actor, Entry},
    http::{
        error::ApiError,
        token::{self, Scope, TokenError},
    },
    limit,
    platform::state::Shared,
    site::Site,
};

/// The backend of this site.
pub struct SiteToken(pub Site);

/// The widget in a page of this site.
pub struct WidgetToken(pub Site);

/// Either of them, for the few routes that a page may call too.
pub enum PageToken {
    /// A site's backend, with the site's token.
    Site(SiteToken),
    /// A page of the site, with a widget token.
    Widget(WidgetToken),
}

impl PageToken {
    /// The site, whoever speaks for it.
    #[must_use]
    pub fn site(&self) -> &Site {
        match self {
            Self::Site(SiteToken(site)) | Self::Widget(WidgetToken(site)) => site,
        }
    }
}

impl FromRequestParts<Shared> for PageToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let bearer = bearer(&parts.headers)?;
        let (site, scope) = token::verify(&state.db, &state.keys, bearer, state.now()).await?;
        Ok(match scope {
            Scope::Site => {
                audit::proven(Actor::Backend, site.id);
                Self::Site(SiteToken(site))
            }
            Scope::Widget if !comes_from(&site, &parts.headers) => {
                refused(state, &site, &TokenError::OtherPage).await;
                return Err(TokenError::OtherPage.into());
            }
            Scope::Widget => {
                audit::proven(Actor::Page, site.id);
                Self::Widget(WidgetToken(site))
            }
        })
    }
}

impl FromRequestParts<Shared> for SiteToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        match PageToken::from_request_parts(parts, state).await? {
            PageToken::Site(token) => Ok(token),
            PageToken::Widget(WidgetToken(site)) => {
                refused(state, &site, &TokenError::Scope).await;
                Err(TokenError::Scope.into())
            }
        }
    }
}

/// Records a use of a widget's token that it is not for.
async fn refused(state: &Shared, site: &Site, why: &TokenError) {
    audit::proven(Actor::Page, site.id);
    let entry = Entry::new(site.id, Action::AccessRefused).detail(why.to_string());
    let network = audit::current().network.map(|network| network.to_string());
    let subject = format!("{} {}", site.id, network.unwrap_or_default());
    limit::record_refusal(state, entry, subject).await;
}

/// Whether a page that says where it is from is one of the site's. What names no origin is no page,
/// and could claim what it likes.
fn comes_from(site: &Site, headers: &HeaderMap) -> bool {
    headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| origin.to_str().is_ok_and(|origin| site.has_page(origin)))
}

fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let header = given.next().ok_or(TokenError::Missing)?;
    if given.next().is_some() {
        return Err(TokenError::Invalid);
    }
    let text = header.to_str().map_err(|_| TokenError::Invalid)?;
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(TokenError::Invalid),
    }
}
