//! Bearer tokens of sites and widgets: ES256 JSON Web Tokens (RFC 7519) whose keys are published,
//! so that others can check them too.

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header, Validation};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    audit,
    http::error::{ApiError, Code},
    platform::{
        clock::Moment,
        keys::{KeyError, Purpose, SigningPair},
        state::State,
    },
    site::{self, Site, SiteToken},
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

    /// As the contract has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Widget => "widget",
            Self::SignOn => "sign_on",
            Self::Enrol => "enrol",
            Self::Redeem => "redeem",
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
    /// It was revoked, alone or with all of its site, or the site is switched off or gone.
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
    /// A key cannot be had.
    #[error(transparent)]
    Key(KeyError),
    /// It could not be signed.
    #[error("cannot sign: {0}")]
    Signing(jsonwebtoken::errors::Error),
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing(_) => Self::Invalid,
            KeyError::Database(cause) => Self::Database(cause),
            other => Self::Key(other),
        }
    }
}

/// Signs a token for `site`, which is worth nothing before what is told beside it is kept.
///
/// # Errors
/// Only when signing itself fails.
pub fn sign(
    pair: &SigningPair,
    issuer: &str,
    site: &Site,
    scope: Scope,
    now: Moment,
    life: TimeDelta,
) -> Result<(String, SiteToken), TokenError> {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(pair.kid.clone());
    let token = SiteToken {
        id: Uuid::new_v4(),
        site_id: site.id,
        key_id: pair.id,
        scope: scope.as_str().to_owned(),
        // Not before what was revoked, or a clock that was ahead at that time would revoke it too.
        issued_at: now.max(site.tokens_not_before),
        expires_at: now + life,
        revoked_at: None,
        seen_at: None,
        seen_from: String::new(),
    };
    let claims = Claims {
        iss: issuer.to_owned(),
        sub: site.id,
        aud: scope.audience().to_owned(),
        iat: token.issued_at.timestamp(),
        exp: token.expires_at.timestamp(),
        jti: token.id,
        test: site.settings.test_mode,
    };
    let signed = jsonwebtoken::encode(&header, &claims, &pair.signing);
    Ok((signed.map_err(TokenError::Signing)?, token))
}

/// What a token proves.
pub struct Shown {
    /// The site that it speaks for.
    pub site: Site,
    /// What it may be used for.
    pub scope: Scope,
    /// Its `jti`.
    pub id: Uuid,
    /// When it ends by itself.
    pub expires_at: Moment,
}

/// What a token proves now: it must be signed by a key of ours, live, and be known as what it says it is, so that
/// not even a stolen key makes one.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify(state: &State, token: &str) -> Result<Shown, TokenError> {
    let now = state.now();
    let (claims, key_id) = claims(state, token).await?;
    let scope = Scope::of(&claims.aud).ok_or(TokenError::Invalid)?;
    if claims.exp <= now.timestamp() {
        return Err(TokenError::Expired);
    }
    let (known, site) = site::find_token(&state.db, claims.jti)
        .await?
        .ok_or(TokenError::Revoked)?;
    let is_the_one = known.site_id == claims.sub
        && known.key_id == key_id
        && known.scope == scope.as_str()
        && known.expires_at.timestamp() == claims.exp;
    if !is_the_one || !known.is_live(&site, now) {
        return Err(TokenError::Revoked);
    }
    let network = audit::current().network;
    if let Err(error) = site::note_token_use(&state.db, &known, network, now).await {
        tracing::debug!(%error, "the use of a token could not be noted");
    }
    Ok(Shown {
        site,
        scope,
        id: known.id,
        expires_at: known.expires_at,
    })
}

/// What a token says, and the key that signed it. `iss` is for others who check the token: here the key alone says
/// that the token is ours, so that servers of one installation accept each other's under whatever address.
async fn claims(state: &State, token: &str) -> Result<(Claims, Uuid), TokenError> {
    let mut rules = Validation::new(Algorithm::ES256);
    // The expiry is compared with the injected clock, not the machine's.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
    let named = header.kid.and_then(|kid| Uuid::try_parse(&kid).ok());
    let key_id = named.ok_or(TokenError::Invalid)?;
    let pair = state
        .keys
        .checking(&state.db, Purpose::SiteTokens, key_id)
        .await?;
    jsonwebtoken::decode::<Claims>(token, &pair.checking, &rules)
        .map(|data| (data.claims, key_id))
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
            TokenError::Key(cause) => Self::internal(&cause),
            TokenError::Signing(cause) => Self::internal(&cause),
        }
    }
}
