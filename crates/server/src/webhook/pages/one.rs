//! One webhook: what it was told, and what can be done about it.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;

use super::named;
use crate::{
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    limit::{self, Rule},
    pages::{
        dashboard::{Access, Fields, Frame, Ids, Notice, Owner, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        outbox::{self, Fate, Parcel, Stage},
        outgoing::Outgoing,
        secret::{self, Secret},
        state::{Shared, State as AppState},
    },
    webhook::{self, Replay, Webhook},
};

/// Messages on the page, the latest.
const MOST: u64 = 50;

/// For how long the secret of before signs as well: seconds, and how that is said.
const OVERLAPS: [(u32, &str); 3] = [
    (86_400, "for a day, while you change your backends"),
    (3_600, "for an hour"),
    (0, "not at all: it was stolen"),
];

#[derive(Template)]
#[template(path = "webhook/pages/one.html")]
struct OnePage {
    layout: Layout,
    frame: Frame,
    /// The webhook's own address here, below which forms are sent.
    own: String,
    webhook: Webhook,
    added: When,
    /// Until when the secret of before signs too.
    before: Option<When>,
    /// Which secret is in force: a form that was sent twice replaces it once.
    present: String,
    secret: Option<Secret>,
    overlaps: [(u32, &'static str); 3],
    told: Vec<Told>,
    has_dead: bool,
}

dashboard_pages!(OnePage);

struct Told {
    parcel: Parcel,
    at: When,
    /// When it is tried again.
    next: When,
}

/// Names the secret in force without telling it.
fn present(webhook: &Webhook) -> String {
    let hash = secret::hash(&hex::encode(&webhook.secret));
    hex::encode(&hash[..8])
}

async fn show(
    state: &AppState,
    access: &Access,
    webhook: Webhook,
    secret: Option<Secret>,
) -> ApiResult<Response> {
    let now = state.now();
    let told = outbox::listed(&state.db, webhook.id, None, MOST).await?;
    let dead = outbox::listed(&state.db, webhook.id, Some(Stage::Dead), 1).await?;
    let before = webhook.previous_until.filter(|until| *until > now);
    let page = OnePage {
        layout: layout(),
        frame: access.frame("webhooks").await?,
        own: format!("/dashboard/apps/{}/webhooks/{}", access.site.id, webhook.id),
        added: When::new(webhook.created_at, now),
        before: before.map(|until| When::new(until, now)),
        present: present(&webhook),
        secret,
        overlaps: OVERLAPS,
        has_dead: !dead.is_empty(),
        told: told
            .into_iter()
            .map(|parcel| Told {
                at: When::new(parcel.created_at, now),
                next: When::new(parcel.next_at, now),
                parcel,
            })
            .collect(),
        webhook,
    };
    page.answer(StatusCode::OK)
}

pub(super) async fn page(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    show(&state, &access, webhook, None).await
}

/// Back to the webhook's page, with a sentence.
async fn back(
    access: &Access,
    webhook: &Webhook,
    notice: impl Into<Notice>,
) -> ApiResult<Response> {
    access
        .back_to(&format!("/webhooks/{}", webhook.id), notice)
        .await
}

pub(super) async fn test(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    // Whoever waits for an endpoint that does not answer holds a request open here.
    limit::check(&state, Rule::Other, format!("webhook {}", webhook.id)).await?;
    let outgoing = Outgoing::new(&state.settings.outgoing);
    let opened = (&state.db, &state.keys);
    let notice = match webhook::try_out(opened, &outgoing, &webhook, state.now()).await? {
        Fate::Delivered(said) => format!("Delivered: your endpoint answered {said}.").into(),
        Fate::Later(said, _) | Fate::Refused(said) => {
            Notice::bad(format!("Not delivered: {said}."))
        }
    };
    back(&access, &webhook, notice).await
}

#[derive(Deserialize)]
pub(super) struct Again {
    /// One message; without, all that were given up.
    delivery: Option<Uuid>,
}

pub(super) async fn replay(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
    Fields(again): Fields<Again>,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    let what = again.delivery.map_or(Replay::Dead, Replay::One);
    let sentence = match webhook::replay(&state.db, &webhook, what, state.now()).await? {
        0 => "There is nothing to deliver again: what waits is delivered anyway.".to_owned(),
        1 => "It is delivered once more.".to_owned(),
        count => format!("{count} messages are delivered once more."),
    };
    back(&access, &webhook, sentence).await
}

#[derive(Deserialize)]
pub(super) struct Rotated {
    present: String,
    overlap: u32,
}

pub(super) async fn rotate(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
    Fields(wanted): Fields<Rotated>,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    if wanted.present != present(&webhook) {
        let sentence =
            "This form was sent before, or somebody else was faster. Nothing was changed now.";
        return back(&access, &webhook, Notice::bad(sentence.to_owned())).await;
    }
    let offered = OVERLAPS.map(|(seconds, _)| seconds);
    if !offered.contains(&wanted.overlap) {
        return Err(ApiError::invalid("overlap", "is none of those offered"));
    }
    let overlap = TimeDelta::seconds(wanted.overlap.into());
    let opened = (&state.db, &state.keys);
    let secret = webhook::rotate_secret(opened, &webhook, overlap, state.now()).await?;
    let webhook = named(&state, &access, &ids).await?;
    show(&state, &access, webhook, Some(secret)).await
}

#[derive(Deserialize)]
pub(super) struct Switched {
    to: Switch,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

pub(super) async fn switch(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
    Fields(wanted): Fields<Switched>,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    let (off_for, sentence) = match wanted.to {
        Switch::On => (None, "It is on, and told of what happens from now on."),
        Switch::Off => (
            Some("by an owner"),
            "It is off: what happens meanwhile is not kept for it.",
        ),
    };
    let opened = (&state.db, &state.keys);
    webhook::switch(opened, &webhook, off_for, state.now()).await?;
    back(&access, &webhook, sentence).await
}

pub(super) async fn remove(
    State(state): State<Shared>,
    Owner(access): Owner,
    ids: Ids,
) -> ApiResult<Response> {
    let webhook = named(&state, &access, &ids).await?;
    webhook::remove((&state.db, &state.keys), &webhook, state.now()).await?;
    access
        .back_to("/webhooks", "It is removed, with what it was told.")
        .await
}
