//! What the site's backend asks: look up, push, status, cancel, redeem.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    client::{self, Client, ClientError, Email, TestClient},
    face,
    http::{
        error::{ApiError, ApiResult, Failure},
        extract::{self, Json, Query, Replied, Reply, reply},
        guard::{PageToken, RedeemToken, SignOnToken, Visitor},
        request,
    },
    limit::{self, Rule},
    platform::{
        clock::Moment,
        network::Network,
        state::{Shared, State as AppState},
    },
    sign_on::{
        PageStatus,
        flow::{self, Origin, Wanted},
    },
    site::Site,
};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(lookup_client))
        .routes(routes!(push_notification))
        .routes(routes!(send_push))
        .routes(routes!(status))
        .routes(routes!(cancel))
        .routes(routes!(validate_session))
}

#[derive(Deserialize, ToSchema)]
struct Lookup {
    #[schema(value_type = String, format = "email", example = "ann@example.com")]
    email: Email,
}

#[derive(Serialize, ToSchema)]
struct Found {
    client_id: Uuid,
    email: String,
    /// Whether this client has a face and can sign on with it.
    facial_sign_on_enabled: bool,
}

/// Find a client by e-mail
#[utoipa::path(
    post, path = "/login/lookup_client", tag = "login", security(("site_token" = [])),
    request_body = Lookup,
    responses(
        (status = 200, body = Reply<Found>),
        (status = 404, body = Failure, description = "1007"),
        (status = 429, body = Failure, description = "1026"),
    )
)]
async fn lookup_client(
    State(state): State<Shared>,
    SignOnToken(site): SignOnToken,
    visitor: Visitor,
    Json(body): Json<Lookup>,
) -> Replied<Found> {
    let subject = format!("lookup {} {}", site.id, Network::from(visitor.ip));
    limit::check(&state, Rule::Other, subject).await?;
    let client = client::find_to_sign_on(&state, &site, &body.email, state.now()).await?;
    let is_test = TestClient::of(&site, &client).is_some();
    Ok(reply(Found {
        client_id: client.id,
        facial_sign_on_enabled: is_test || face::is_enrolled(&state, client.id).await?,
        email: client.email,
    }))
}

#[derive(Deserialize, ToSchema)]
struct PushById {
    /// Id of the client who signs on, a UUID.
    #[serde(deserialize_with = "extract::any_id")]
    id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct Pushed {
    /// For the page: it subscribes with this.
    verification_token: String,
    site_id: Uuid,
    /// Seconds until the sign-on expires.
    #[schema(example = 600)]
    expires_in: u32,
    /// 0 to 99, for the page to show with two digits; null where number matching is off.
    number: Option<i32>,
}

/// Ask a client's phones for a sign-on
#[utoipa::path(
    post, path = "/login/push_notification", tag = "login", security(("site_token" = [])),
    request_body = PushById,
    params(
        ("X-Forwarded-For" = Option<String>, Header, description = "the person's address"),
        ("X-Browser-User-Agent" = Option<String>, Header, description = "the person's browser"),
    ),
    responses(
        (status = 200, body = Reply<Pushed>),
        (status = 403, body = Failure, description = "1016, 1017"),
        (status = 404, body = Failure, description = "1007, 1008, 1012"),
        (status = 429, body = Failure, description = "1022, 1023; 1026 for test identities"),
    )
)]
async fn push_notification(
    State(state): State<Shared>,
    SignOnToken(site): SignOnToken,
    visitor: Visitor,
    Json(body): Json<PushById>,
) -> Replied<Pushed> {
    let client = client::find(&state.db, &site, body.id).await;
    limit_by_ip(&state, &site, client.as_ref().ok(), &visitor).await?;
    let wanted = Wanted {
        site: &site,
        client: &client?,
        is_known: true,
        learns_why: true,
        with_number: site.settings.number_matching,
    };
    push(&state, &wanted, visitor).await
}

#[derive(Deserialize, ToSchema)]
struct PushByEmail {
    #[schema(value_type = String, format = "email", example = "ann@example.com")]
    email: Email,
}

/// Look up and push in one, as the widget does; always with a number
///
/// A widget token does not learn whether somebody can be asked: in the place of 1007, 1008, 1012, 1016 and 1017 it
/// is given a sign-on that nobody answers.
#[utoipa::path(
    post, path = "/client/send_push", tag = "client",
    security(("site_token" = []), ("widget_token" = [])),
    request_body = PushByEmail,
    responses(
        (status = 200, body = Reply<Pushed>),
        (status = 403, body = Failure, description = "1016, 1017"),
        (status = 404, body = Failure, description = "1007, 1008, 1012"),
        (status = 429, body = Failure, description = "1022, 1023; 1026 for test identities"),
    )
)]
async fn send_push(
    State(state): State<Shared>,
    AnyVisitor { caller, visitor }: AnyVisitor,
    Json(body): Json<PushByEmail>,
) -> Replied<Pushed> {
    let site = caller.site();
    let found = client::find_to_sign_on(&state, site, &body.email, state.now()).await;
    limit_by_ip(&state, site, found.as_ref().ok(), &visitor).await?;
    let is_known = found.is_ok();
    let client = match (&caller, found) {
        (PageToken::Widget(_), Err(ClientError::NotFound)) => {
            flow::nobody(&state, site, &body.email)
        }
        (_, found) => found?,
    };
    let wanted = Wanted {
        site,
        client: &client,
        is_known,
        learns_why: matches!(caller, PageToken::Site(_)),
        with_number: true,
    };
    push(&state, &wanted, visitor).await
}

/// A caller of either scope; only a backend is believed what it says of the browser.
struct AnyVisitor {
    caller: PageToken,
    visitor: Visitor,
}

impl FromRequestParts<Shared> for AnyVisitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let caller = PageToken::from_request_parts(parts, state).await?;
        let origin = request::origin(parts, state).await?;
        let visitor = match &caller {
            PageToken::Site(_) => Visitor::of_backend(parts, origin),
            PageToken::Widget(_) => Visitor::of_page(parts, origin),
        };
        Ok(Self { caller, visitor })
    }
}

/// Pushes to people are few; an integrator's tests, which push to nobody, may ask as often as for anything.
async fn limit_by_ip(
    state: &AppState,
    site: &Site,
    client: Option<&Client>,
    visitor: &Visitor,
) -> ApiResult<()> {
    let subject = format!("{} {}", site.id, Network::from(visitor.ip));
    let is_test = client.is_some_and(|client| TestClient::of(site, client).is_some());
    let (rule, subject) = if is_test {
        (Rule::Other, format!("test {subject}"))
    } else {
        (Rule::PushByIp, subject)
    };
    Ok(limit::check(state, rule, subject).await?)
}

async fn push(state: &Shared, wanted: &Wanted<'_>, visitor: Visitor) -> Replied<Pushed> {
    let origin = Origin {
        ip: visitor.ip,
        is_stated: visitor.is_stated,
        user_agent: visitor.user_agent,
    };
    let asked = flow::request(state, wanted, origin).await;
    if let Err(error) = &asked {
        flow::record_refused_request(state, wanted.site, wanted.client, error).await;
    }
    let pushed = asked?;
    Ok(reply(Pushed {
        verification_token: pushed.token.reveal().to_owned(),
        site_id: wanted.site.id,
        expires_in: state.settings.sign_on.lifetime,
        number: pushed.number,
    }))
}

#[derive(Deserialize, IntoParams)]
struct StatusOf {
    #[serde(default)]
    #[param(required, min_length = 1)]
    verification_token: String,
}

/// Where a sign-on stands, for those without WebSockets; says what the cable would
#[utoipa::path(
    get, path = "/login/status", tag = "login", params(StatusOf),
    security(("site_token" = []), ("widget_token" = [])),
    responses(
        (status = 200, body = Reply<PageStatus>),
        (status = 404, body = Failure, description = "1032"),
    )
)]
async fn status(
    State(state): State<Shared>,
    caller: PageToken,
    Query(query): Query<StatusOf>,
) -> Replied<PageStatus> {
    let token = required(&query.verification_token)?;
    let (sign_on, verdict) = flow::status_by_token(&state, caller.site(), token).await?;
    Ok(reply(match verdict {
        Some(verdict) => PageStatus::from(&verdict),
        None if sign_on.challenge_hash.is_some() => PageStatus::Scanning,
        None => PageStatus::Pending,
    }))
}

fn required(token: &str) -> ApiResult<&str> {
    match token.trim() {
        "" => Err(ApiError::invalid("verification_token", "is missing")),
        token => Ok(token),
    }
}

#[derive(Deserialize, ToSchema)]
struct Cancel {
    #[schema(min_length = 1)]
    verification_token: String,
}

#[derive(Serialize, ToSchema)]
struct Cancelled {
    #[schema(example = "cancelled")]
    status: &'static str,
}

/// Take a sign-on back
#[utoipa::path(
    post, path = "/login/cancel", tag = "login",
    security(("site_token" = []), ("widget_token" = [])),
    request_body = Cancel,
    responses(
        (status = 200, body = Reply<Cancelled>),
        (status = 404, body = Failure, description = "1032"),
        (status = 409, body = Failure, description = "1031"),
        (status = 410, body = Failure, description = "1030"),
    )
)]
async fn cancel(
    State(state): State<Shared>,
    caller: PageToken,
    Json(body): Json<Cancel>,
) -> Replied<Cancelled> {
    let token = required(&body.verification_token)?;
    flow::cancel(&state, caller.site(), token).await?;
    Ok(reply(Cancelled {
        status: "cancelled",
    }))
}

#[derive(Deserialize, ToSchema)]
struct ValidateSession {
    client_session_token: String,
    client_id: Uuid,
    /// The sign-on that the backend asked for. With it a proof of any other is refused, which a page
    /// could have been slipped.
    #[serde(default)]
    verification_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Validated {
    client_id: Uuid,
    email: String,
    site_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    verified_at: Moment,
    device_id: Option<Uuid>,
    /// RFC 8176: a face, and a key of the person's own. Nothing attests that hardware keeps the key, so
    /// it counts as one in software.
    #[schema(example = json!(["face", "swk"]))]
    amr: [&'static str; 2],
    /// True for a test identity, on a site in test mode; never for a person.
    test: bool,
}

/// Redeem what the page was given, once
#[utoipa::path(
    post, path = "/login/validate_session", tag = "login", security(("site_token" = [])),
    request_body = ValidateSession,
    responses(
        (status = 200, body = Reply<Validated>),
        (status = 401, body = Failure, description = "1040"),
        (status = 403, body = Failure, description = "1046"),
    )
)]
async fn validate_session(
    State(state): State<Shared>,
    RedeemToken(site): RedeemToken,
    Json(body): Json<ValidateSession>,
) -> Replied<Validated> {
    let proof = flow::Proof {
        session_token: &body.client_session_token,
        client_id: body.client_id,
        verification_token: body.verification_token.as_deref(),
    };
    let proven = flow::redeem(&state, &site, proof).await?;
    Ok(reply(Validated {
        client_id: proven.client.id,
        email: proven.client.email,
        site_id: site.id,
        verified_at: proven
            .sign_on
            .decided_at
            .unwrap_or(proven.sign_on.created_at),
        device_id: proven.sign_on.device_id,
        amr: ["face", "swk"],
        test: proven.sign_on.test_identity.is_some(),
    }))
}
