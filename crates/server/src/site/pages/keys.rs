//! An app's keys: what its backend proves itself by, and what it may listen with.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;

use super::connect::Lines;
use crate::{
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    limit::{self, Rule},
    pages::{
        dashboard::{Access, Fields, Frame, Notice, Owner, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        clock::Moment,
        secret::Secret,
        state::{Shared, State as AppState},
    },
    site::{
        self, Site, SiteSecret, SiteToken,
        redis_trial::{self, Found, Verdict, Whose},
    },
};

/// For how long the secret key of before may still be taken: seconds, and how that is said.
const OVERLAPS: [(u32, &str); 4] = [
    (86_400, "for a day, while you change your backends"),
    (604_800, "for a week"),
    (3_600, "for an hour"),
    (0, "not at all: it was stolen"),
];

#[derive(Template)]
#[template(path = "site/pages/keys.html")]
struct KeysPage {
    layout: Layout,
    frame: Frame,
    site: Site,
    /// Until when the secret key of before is taken.
    before: Option<When>,
    overlaps: [(u32, &'static str); 4],
    /// Which secret key is in force: a form that was sent twice replaces it once.
    present: String,
    redis: Option<Redis>,
    /// Tokens that are worth something, the latest first.
    tokens: Vec<Token>,
    /// How many more there are.
    more_tokens: usize,
    /// A secret key that was made just now, and lines with it.
    secret: Option<(Secret, Lines)>,
    /// A password for Redis that was made just now.
    password: Option<Secret>,
    /// What came of trying the way into Redis just now.
    tried: Vec<Found>,
}

dashboard_pages!(KeysPage);

/// What is said where there is none.
const NO_REDIS: &str = "There is no Redis here.";

/// Tokens on the page.
const TOKENS: usize = 20;

/// A token of the backend or of a page, as it is shown.
struct Token {
    token: SiteToken,
    issued: When,
    expires: When,
    seen: Option<When>,
}

impl Token {
    fn new(token: SiteToken, now: Moment) -> Self {
        Self {
            issued: When::new(token.issued_at, now),
            expires: When::new(token.expires_at, now),
            seen: token.seen_at.map(|at| When::new(at, now)),
            token,
        }
    }
}

/// How the backend may listen to events.
struct Redis {
    host: String,
    port: u16,
    user: Option<String>,
    /// Which password is in force.
    present: String,
}

/// Names a hash without telling it.
fn name_of(hash: &[u8]) -> String {
    let hash = crate::platform::secret::hash(&hex::encode(hash));
    hex::encode(&hash[..8])
}

/// Names the secret keys that no other has replaced.
fn names_of(live: &[SiteSecret]) -> String {
    let present = live.iter().filter(|key| key.replaced_at.is_none());
    let mut names: Vec<String> = present.map(SiteSecret::name).collect();
    names.sort_unstable();
    names.join("-")
}

#[derive(Default)]
struct Made {
    secret: Option<Secret>,
    password: Option<Secret>,
    tried: Vec<Found>,
}

async fn show(state: &AppState, access: &Access, made: Made) -> ApiResult<Response> {
    let now = state.now();
    let site = site::find(&state.db, access.site.id).await?;
    let site = site.ok_or_else(|| ApiError::internal(&"the site is gone"))?;
    let redis = match state.settings.redis.public_address() {
        None => None,
        Some((host, port)) => {
            let user = site::find_redis_user(&state.db, site.id).await?;
            Some(Redis {
                host,
                port,
                present: user
                    .as_ref()
                    .map_or(String::new(), |user| name_of(&user.password_hash)),
                user: user.map(|user| user.name),
            })
        }
    };
    let live = site::live_secrets(&state.db, site.id, now).await?;
    let mut tokens = site::live_tokens(&state.db, &site, now).await?;
    let more_tokens = tokens.len().saturating_sub(TOKENS);
    tokens.truncate(TOKENS);
    let before = live.iter().filter(|key| key.replaced_at.is_some());
    let until = before.filter_map(|key| key.expires_at).max();
    let page = KeysPage {
        layout: layout(),
        frame: access.frame("keys").await?,
        before: until.map(|until| When::new(until, now)),
        overlaps: OVERLAPS,
        present: names_of(&live),
        redis,
        tokens: tokens
            .into_iter()
            .map(|token| Token::new(token, now))
            .collect(),
        more_tokens,
        secret: made.secret.map(|secret| {
            let lines = Lines::of(state, &site, Some(secret.reveal()));
            (secret, lines)
        }),
        password: made.password,
        tried: made.tried,
        site,
    };
    page.answer(StatusCode::OK)
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
) -> ApiResult<Response> {
    show(&state, &access, Made::default()).await
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    present: String,
    overlap: u32,
}

pub(super) async fn rotate(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(wanted): Fields<Wanted>,
) -> ApiResult<Response> {
    let site = &access.site;
    let now = state.now();
    let live = site::live_secrets(&state.db, site.id, now).await?;
    if wanted.present != names_of(&live) {
        return sent_before(&access).await;
    }
    if OVERLAPS
        .iter()
        .all(|(seconds, _)| *seconds != wanted.overlap)
    {
        return Err(ApiError::invalid("overlap", "is none of those offered"));
    }
    let rotation = site::Rotation {
        overlap: TimeDelta::seconds(wanted.overlap.into()),
        life: None,
    };
    let secret = site::rotate_secret(&state.db, &state.keys, site, rotation, now).await?;
    let made = Made {
        secret: Some(secret),
        ..Made::default()
    };
    show(&state, &access, made).await
}

#[derive(Deserialize)]
pub(super) struct Which {
    jti: Uuid,
}

pub(super) async fn revoke_token(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(which): Fields<Which>,
) -> ApiResult<Response> {
    let now = state.now();
    let done = site::revoke_token(&state.db, &state.keys, &access.site, which.jti, now).await?;
    let sentence = if done {
        "The token is revoked. Whoever had it must ask for another."
    } else {
        "This token was worth nothing any more."
    };
    access.back_to("/keys", sentence).await
}

async fn sent_before(access: &Access) -> ApiResult<Response> {
    let sentence =
        "This form was sent before, or somebody else was faster. Nothing was changed now.";
    access
        .back_to("/keys", Notice::bad(sentence.to_owned()))
        .await
}

#[derive(Deserialize)]
pub(super) struct GiveRedis {
    #[serde(default)]
    present: String,
}

pub(super) async fn give_redis(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(wanted): Fields<GiveRedis>,
) -> ApiResult<Response> {
    if state.settings.redis.public_address().is_none() {
        return access.back_to("/keys", NO_REDIS).await;
    }
    let user = site::find_redis_user(&state.db, access.site.id).await?;
    let present = user.map_or(String::new(), |user| name_of(&user.password_hash));
    if wanted.present != present {
        return sent_before(&access).await;
    }
    let given =
        site::give_redis_user(&state.db, &state.keys, &access.site, None, state.now()).await?;
    let made = Made {
        password: Some(given.1),
        ..Made::default()
    };
    show(&state, &access, made).await
}

pub(super) async fn remove_redis(
    State(state): State<Shared>,
    Owner(access): Owner,
) -> ApiResult<Response> {
    let now = state.now();
    site::remove_redis_user(&state.db, &state.keys, access.site.id, now).await?;
    let sentence = "The user in Redis is removed. Within ten seconds it cannot sign in any more.";
    access.back_to("/keys", sentence).await
}

#[derive(Deserialize)]
pub(super) struct TryRedis {
    #[serde(default)]
    password: String,
}

pub(super) async fn try_redis(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(given): Fields<TryRedis>,
) -> ApiResult<Response> {
    if state.settings.redis.url.is_empty() {
        return access.back_to("/keys", NO_REDIS).await;
    }
    // Passwords could be guessed, and whoever waits for Redis holds a request open here.
    limit::check(&state, Rule::Other, format!("redis {}", access.site.id)).await?;
    let user = site::find_redis_user(&state.db, access.site.id).await?;
    let given = Secret::from_text(given.password.trim());
    let whose = Whose {
        site: &access.site,
        user: user.as_ref(),
        password: Some(&given).filter(|given| !given.reveal().is_empty()),
    };
    let made = Made {
        tried: redis_trial::try_out(&state.settings.redis.url, whose, state.now()).await,
        ..Made::default()
    };
    show(&state, &access, made).await
}
