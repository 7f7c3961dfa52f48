//! `application_auth` and the published keys.

mod error;

use axum::{Json as Plain, extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Domain, SiteError, store, tokens};
use crate::{
    audit::{self, Actor},
    http::{
        error::{ApiError, ApiResult, Failure},
        extract::{Json, Replied, Reply, reply},
        request::{ClientIp, header_text},
        token::{self, Scope, TokenError},
    },
    limit::{self, Rule},
    platform::{clock::seconds, keys::Purpose, state::Shared},
};

/// The routes of this slice.
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(application_auth))
}

/// The routes outside the API's path.
pub fn well_known() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(jwks))
}

/// A site's keys; both may come as headers instead.
#[derive(Deserialize, ToSchema)]
struct ApplicationAuth {
    /// Or the header `X-API-Key`.
    api_key: Option<String>,
    /// Or the header `X-API-Secret`.
    secret_key: Option<String>,
    /// The site's domain or any URL on it; may be left out.
    domain: Option<String>,
    /// `site` unless said otherwise: a backend, for everything. `sign_on`, `enrol` and `redeem` are parts of that,
    /// `widget` is for pages: a backend's token that a browser sends is refused.
    scope: Option<Scope>,
    /// Seconds; at most 30 days for a site's token, an hour for a widget's.
    expires_in: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct Authenticated {
    /// The bearer for all other routes.
    authenticated_token: String,
    /// Seconds until the token ends.
    #[schema(example = 2_592_000)]
    expires_in: u32,
}

/// A token for the site's backend, or one for its widget
#[utoipa::path(
    post, path = "/application_auth", tag = "site",
    request_body = ApplicationAuth,
    responses(
        (status = 200, body = Reply<Authenticated>),
        (status = 401, body = Failure, description = "1001, 1002"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn application_auth(
    State(state): State<Shared>,
    caller: ClientIp,
    headers: HeaderMap,
    Json(body): Json<ApplicationAuth>,
) -> Replied<Authenticated> {
    let now = state.now();
    // Only failures count: a site's backend has one address and may ask as often as it likes.
    limit::peek(&state, Rule::Auth, caller.network()).await?;
    let required = |value: Option<String>, header: &str, field: &str| {
        value
            .filter(|text| !text.is_empty())
            .or_else(|| header_text(&headers, header).map(str::to_owned))
            .ok_or_else(|| ApiError::invalid(field, "is missing"))
    };
    let api_key = required(body.api_key, "x-api-key", "api_key")?;
    let secret_key = required(body.secret_key, "x-api-secret", "secret_key")?;
    let domain = body
        .domain
        .map(|text| Domain::parse(&text))
        .transpose()
        .map_err(SiteError::from)?;
    let scope = body.scope.unwrap_or_default();
    let life = life(&state, scope, body.expires_in)?;
    let known = store::authenticate(&state.db, &api_key, &secret_key, now).await;
    let known = known.and_then(|site| match domain {
        Some(domain) if domain.as_str() != site.domain => Err(SiteError::OtherDomain(site.id)),
        _ => Ok(site),
    });
    let site = match known {
        Ok(site) => site,
        Err(error) => {
            limit::check(&state, Rule::Auth, caller.network()).await?;
            store::record_refused(&state, &api_key, &error).await?;
            return Err(error.into());
        }
    };
    audit::proven(Actor::Backend, site.id);
    let signing = state.keys.signing(&state.db, Purpose::SiteTokens, now);
    let pair = signing.await.map_err(TokenError::from)?;
    let issuer = state.settings.public_url();
    let (token, known) = token::sign(&pair, &issuer, &site, scope, now, seconds(life))?;
    tokens::record_issued(&state, known).await?;
    Ok(reply(Authenticated {
        authenticated_token: token,
        expires_in: life,
    }))
}

fn life(state: &Shared, scope: Scope, wanted: Option<u32>) -> ApiResult<u32> {
    let settings = &state.settings.token;
    let (usual, longest) = match scope {
        Scope::Site | Scope::SignOn | Scope::Enrol | Scope::Redeem => {
            (settings.site_lifetime, settings.site_lifetime)
        }
        Scope::Widget => (settings.widget_lifetime, settings.widget_longest),
    };
    match wanted {
        None => Ok(usual),
        Some(seconds) if (1..=longest).contains(&seconds) => Ok(seconds),
        Some(_) => Err(ApiError::invalid(
            "expires_in",
            format!("must be from 1 to {longest} seconds"),
        )),
    }
}

/// The public keys of sites' tokens and of receipts (RFC 7517)
///
/// Keys of before are among them while something that they signed may be checked.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "site", responses((status = 200, body = Value)))]
async fn jwks(State(state): State<Shared>) -> ApiResult<Plain<Value>> {
    let published = state.keys.published(&state.db).await;
    let keys = published.map_err(TokenError::from)?;
    Ok(Plain(json!({ "keys": keys })))
}
