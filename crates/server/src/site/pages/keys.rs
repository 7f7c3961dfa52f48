//! An app's keys: what its backend proves itself by, and what it may listen with.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use chrono::TimeDelta;
use serde::Deserialize;

use super::connect::Lines;
use crate::{
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{Access, Fields, Frame, Owner, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        secret::Secret,
        state::{Shared, State as AppState},
    },
    site::{self, Site, SiteSecret},
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
    /// A secret key that was made just now, and lines with it.
    secret: Option<(Secret, Lines)>,
    /// A password for Redis that was made just now.
    password: Option<Secret>,
}

dashboard_pages!(KeysPage);

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
    let before = live.iter().filter(|key| key.replaced_at.is_some());
    let until = before.filter_map(|key| key.expires_at).max();
    let page = KeysPage {
        layout: layout(),
        frame: access.frame("keys").await?,
        before: until.map(|until| When::new(until, now)),
        overlaps: OVERLAPS,
        present: names_of(&live),
        redis,
        secret: made.secret.map(|secret| {
            let lines = Lines::of(state, &site, Some(secret.reveal()));
            (secret, lines)
        }),
        password: made.password,
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

async fn sent_before(access: &Access) -> ApiResult<Response> {
    let sentence =
        "This form was sent before, or somebody else was faster. Nothing was changed now.";
    access.back_to("/keys", sentence).await
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
        return access.back_to("/keys", "There is no Redis here.").await;
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
