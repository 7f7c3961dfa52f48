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
        token::{self, Scope, Shown, TokenError},
    },
    limit,
    platform::state::Shared,
    site::Site,
};

/// Declares the guards of a backend's routes: each takes the token of a whole site, and one of its own scope.
macro_rules! backend_tokens {
    ($($(#[$doc:meta])* $name:ident: $scope:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(pub Site);

        impl FromRequestParts<Shared> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &Shared,
            ) -> Result<Self, ApiError> {
                backend(parts, state, Scope::$scope).await.map(Self)
            }
        }
    )*};
}

backend_tokens! {
    /// The backend of this site, or the part of it that asks for sign-ons.
    SignOnToken: SignOn;
    /// The backend of this site, or the part of it that enrols people and looks after them.
    EnrolToken: Enrol;
    /// The backend of this site, or the part of it that redeems proofs.
    RedeemToken: Redeem;
}

/// A backend or a page, for the few routes that a page may call too.
pub enum PageToken {
    /// A site's backend, with the site's token or one for sign-ons.
    Site(SignOnToken),
    /// A page of the site, with a widget token.
    Widget(Site),
}

impl PageToken {
    /// The site, whoever speaks for it.
    #[must_use]
    pub fn site(&self) -> &Site {
        match self {
            Self::Site(SignOnToken(site)) | Self::Widget(site) => site,
        }
    }
}

impl FromRequestParts<Shared> for PageToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let shown = shown(&parts.headers, state).await?;
        if shown.scope != Scope::Widget {
            let site = of_backend(parts, state, shown, Scope::SignOn).await?;
            return Ok(Self::Site(SignOnToken(site)));
        }
        let site = shown.site;
        audit::proven(Actor::Page, site.id);
        if !comes_from(&site, &parts.headers) {
            return Err(refused(state, &site, TokenError::OtherPage).await);
        }
        Ok(Self::Widget(site))
    }
}

async fn shown(headers: &HeaderMap, state: &Shared) -> Result<Shown, TokenError> {
    token::verify(state, bearer(headers)?).await
}

async fn backend(parts: &Parts, state: &Shared, wanted: Scope) -> Result<Site, ApiError> {
    let shown = shown(&parts.headers, state).await?;
    of_backend(parts, state, shown, wanted).await
}

/// The site of a backend whose token is for this, and which is no page.
async fn of_backend(
    parts: &Parts,
    state: &Shared,
    Shown { site, scope, .. }: Shown,
    wanted: Scope,
) -> Result<Site, ApiError> {
    if scope == Scope::Widget {
        audit::proven(Actor::Page, site.id);
        return Err(refused(state, &site, TokenError::Scope).await);
    }
    audit::proven(Actor::Backend, site.id);
    // Browsers name the page's origin in every call to another one; backends have none.
    if parts.headers.contains_key(ORIGIN) {
        return Err(refused(state, &site, TokenError::InBrowser).await);
    }
    if scope != Scope::Site && scope != wanted {
        return Err(refused(state, &site, TokenError::Scope).await);
    }
    Ok(site)
}

async fn refused(state: &Shared, site: &Site, why: TokenError) -> ApiError {
    record_refused(state, site, &why).await;
    why.into()
}

/// Records a use of a token that it is not for, and says in the log what its owner has to do.
pub async fn record_refused(state: &Shared, site: &Site, why: &TokenError) {
    if matches!(why, TokenError::InBrowser) {
        tracing::warn!(site = %site.domain, "{why}");
    }
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
