//! Bearer tokens of sites and widgets: ES256 JSON Web Tokens (RFC 7519) whose keys are published,
//! so that others can check them too.

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header, Validation};
use sea_orm::{DatabaseConnection, DbErr};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::error::{ApiError, Code},
    platform::{clock::Moment, keys::Keyring},
    site::{self, Site},
};

/// What a token may be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The site's backend: everything.
    #[default]
    Site,
    /// The widget in a page: what a page may do.
    Widget,
    /// The part of a backend that asks for sign-ons: looks people up, pushes, asks how it stands.
    SignOn,
    /// The part of a backend that makes people known, enrols and confirms their phones, unlocks and erases.
    Enrol,
    /// The part of a backend that redeems proofs of sign-ons.
    Redeem,
}

impl Scope {
    const ALL: [Self; 5] = [
        Self::Site,
        Self::Widget,
        Self::SignOn,
        Self::Enrol,
        Self::Redeem,
    ];

    const fn audience(self) -> &'static str {
        match self {
            Self::Site => "axiam:site",
            Self::Widget => "axiam:widget",
            Self::SignOn => "axiam:sign_on",
            Self::Enrol => "axiam:enrol",
            Self::Redeem => "axiam:redeem",
        }
    }

    fn of(audience: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.audience() == audience)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    aud: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
    /// Only in tokens of sites in test mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// Why a bearer is not accepted.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The request carries no token at all.
    #[error("give the site's token as Authorization: Bearer")]
    Missing,
    /// Not ours, or not a token.
    #[error("the token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired; ask application_auth for a new one")]
    Expired,
    /// Its site is switched off, gone, or has revoked its tokens.
    #[error("the token was revoked")]
    Revoked,
    /// A token of another scope than the route's.
    #[error("a token of this scope cannot call this route")]
    Scope,
    /// A backend's token in a browser, where everybody can read it.
    #[error(
        "a backend's token was sent by a browser, where whoever visits the page can read it and take accounts over; \
         ask application_auth for scope \"widget\", and for a new secret key if this page was public"
    )]
    InBrowser,
    /// A widget's token in a page that is not the site's.
    #[error(
        "the site does not list this page's origin; the owner adds it with \
         `axiam site set ID origins=...`"
    )]
    OtherPage,
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// It could not be signed.
    #[error("cannot sign: {0}")]
    Signing(jsonwebtoken::errors::Error),
}

/// Signs a token for `site`.
///
/// # Errors
/// Only when signing itself fails.
pub fn issue(
    keys: &Keyring,
    issuer: &str,
    site: &Site,
    scope: Scope,
    now: Moment,
    life: TimeDelta,
) -> Result<String, TokenError> {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(keys.tokens.id.clone());
    let claims = Claims {
        iss: issuer.to_owned(),
        sub: site.id,
        aud: scope.audience().to_owned(),
        // Not before what was revoked, or a clock that was ahead at that time would revoke it too.
        iat: now.max(site.tokens_not_before).timestamp(),
        exp: (now + life).timestamp(),
        jti: Uuid::new_v4(),
        test: site.settings.test_mode,
    };
    jsonwebtoken::encode(&header, &claims, &keys.tokens.signing).map_err(TokenError::Signing)
}

/// The site a token speaks for, and what it may do.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify(
    db: &DatabaseConnection,
    keys: &Keyring,
    token: &str,
    now: Moment,
) -> Result<(Site, Scope), TokenError> {
    let claims = claims(keys, token)?;
    let scope = Scope::of(&claims.aud).ok_or(TokenError::Invalid)?;
    if claims.exp <= now.timestamp() {
        return Err(TokenError::Expired);
    }
    let site = site::find(db, claims.sub)
        .await?
        .ok_or(TokenError::Revoked)?;
    if !site.is_enabled() || claims.iat < site.tokens_not_before.timestamp() {
        return Err(TokenError::Revoked);
    }
    Ok((site, scope))
}

/// `iss` is for others who check the token: here the key alone says that the token is ours, so
/// that servers of one installation accept each other's under whatever address.
fn claims(keys: &Keyring, token: &str) -> Result<Claims, TokenError> {
    let mut rules = Validation::new(Algorithm::ES256);
    // The expiry is compared with the injected clock, not the machine's.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    jsonwebtoken::decode::<Claims>(token, &keys.tokens.checking, &rules)
        .map(|data| data.claims)
        .map_err(|_| TokenError::Invalid)
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        let text = error.to_string();
        match error {
            TokenError::Missing => Self::new(Code::TokenMissing, text),
            TokenError::Invalid => Self::new(Code::TokenInvalid, text),
            TokenError::Expired => Self::new(Code::TokenExpired, text),
            TokenError::Revoked => Self::new(Code::TokenRevoked, text),
            TokenError::Scope | TokenError::InBrowser | TokenError::OtherPage => {
                Self::new(Code::ScopeForbidden, text)
            }
            TokenError::Database(cause) => cause.into(),
            TokenError::Signing(cause) => Self::internal(&cause),
        }
    }
}

/// Until when a token of ours is valid.
///
/// # Errors
/// [`TokenError::Invalid`] if it is none.
pub fn expires_at(keys: &Keyring, token: &str) -> Result<Moment, TokenError> {
    let claims = claims(keys, token)?;
    Moment::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)
}
