//! An app's webhooks, and adding one.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use uuid::Uuid;

use crate::{
    dashboard_pages,
    http::error::ApiResult,
    pages::{
        dashboard::{Access, Fields, Frame, Owner, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        outbox::{self, Parcel, Stage},
        outgoing::Outgoing,
        secret::Secret,
        state::{Shared, State as AppState},
    },
    webhook::{self, Topic, Topics, Webhook, WebhookError},
};

#[derive(Template)]
#[template(path = "webhook/pages/list.html")]
struct ListPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    rows: Vec<Row>,
    /// One that was added just now, with the secret that is shown this once.
    added: Option<(Webhook, Secret)>,
    /// The id that the next one will have, so that the form adds one however often it is sent.
    id: Uuid,
    url: String,
    events: Vec<Event>,
}

dashboard_pages!(ListPage);

struct Row {
    webhook: Webhook,
    last: Option<(Parcel, When)>,
}

/// What can be chosen to be told of.
struct Event {
    topic: Topic,
    words: &'static str,
    is_chosen: bool,
}

/// In the words of the page; `None` for what no webhook waits for.
const fn words(topic: Topic) -> Option<&'static str> {
    Some(match topic {
        Topic::SignOnVerified => "somebody signed on",
        Topic::SignOnFailed => "a sign-on failed: no try was left",
        Topic::SignOnDenied => "somebody refused a sign-on",
        Topic::SignOnExpired => "nobody answered in time",
        Topic::SignOnReported => "somebody said “this was not me”",
        Topic::DevicePaired => "a phone was paired",
        Topic::DeviceUnpaired => "a phone was unpaired",
        Topic::FaceEnrolled => "a face was enrolled",
        Topic::ClientLocked => "somebody was locked out",
        Topic::ClientErased => "somebody was erased",
        Topic::Test => return None,
    })
}

/// What a form sent, and what is wrong with it.
struct Refused {
    error: String,
    form: HashMap<String, String>,
}

async fn show(
    state: &AppState,
    access: &Access,
    added: Option<(Webhook, Secret)>,
    refused: Option<Refused>,
) -> ApiResult<Response> {
    let now = state.now();
    let mut rows = Vec::new();
    for webhook in webhook::of_site(&state.db, access.site.id).await? {
        let last = outbox::listed(&state.db, webhook.id, None, 1).await?;
        let last = last.into_iter().next();
        rows.push(Row {
            last: last.map(|parcel| {
                let at = parcel.ended_at.unwrap_or(parcel.created_at);
                (parcel, When::new(at, now))
            }),
            webhook,
        });
    }
    let is_chosen = |topic: Topic| {
        let form = refused.as_ref().map(|refused| &refused.form);
        form.is_some_and(|form| form.contains_key(topic.as_str()))
    };
    let events = Topic::ALL.iter().filter_map(|topic| {
        words(*topic).map(|words| Event {
            topic: *topic,
            words,
            is_chosen: is_chosen(*topic),
        })
    });
    let page = ListPage {
        layout: layout(),
        frame: access.frame("webhooks").await?,
        rows,
        added,
        id: Uuid::new_v4(),
        url: refused
            .as_ref()
            .and_then(|refused| refused.form.get("url").cloned())
            .unwrap_or_default(),
        events: events.collect(),
        error: refused.map(|refused| refused.error),
    };
    let status = match page.error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    page.answer(status)
}

pub(super) async fn page(State(state): State<Shared>, Owner(access): Owner) -> ApiResult<Response> {
    show(&state, &access, None, None).await
}

/// What is wrong with the form, for the person who filled it in; other errors as they are.
fn sentence(error: WebhookError) -> ApiResult<String> {
    match error {
        WebhookError::NoUrl(_) => {
            Ok("Paste the whole address, such as https://shop.example.com/axiam.".to_owned())
        }
        WebhookError::Url(error) => Ok(format!("Messages are not posted there: {error}.")),
        WebhookError::TooMany(most) => Ok(format!(
            "An app has at most {most} webhooks. Remove one that is no longer needed."
        )),
        error => Err(error.into()),
    }
}

pub(super) async fn add(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(form): Fields<HashMap<String, String>>,
) -> ApiResult<Response> {
    let chosen = Topic::ALL.iter().copied();
    let topics = chosen.filter(|topic| form.contains_key(topic.as_str()));
    let wanted = webhook::Wanted {
        id: form
            .get("id")
            .and_then(|id| id.parse().ok())
            .unwrap_or_else(Uuid::new_v4),
        url: form.get("url").map_or("", |url| url.trim()),
        topics: Topics(topics.collect()),
    };
    let outgoing = Outgoing::new(&state.settings.outgoing);
    let opened = (&state.db, &state.keys);
    match webhook::add(opened, &outgoing, access.site.id, wanted, state.now()).await {
        Ok(added) => show(&state, &access, Some(added), None).await,
        Err(WebhookError::SentBefore) => {
            let sentence =
                "This form was sent before. The webhook is there; its secret is shown only once.";
            access.back_to("/webhooks", sentence).await
        }
        Err(error) => {
            let error = sentence(error)?;
            show(&state, &access, None, Some(Refused { error, form })).await
        }
    }
}
