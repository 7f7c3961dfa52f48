//! An event as a site's backend hears it.

use sea_orm::DbErr;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cable::channels,
    platform::{
        events::{Event, EventSite},
        state::State,
    },
    sign_on, site,
};

/// What happened, before it is known where to publish it.
pub(super) struct SiteEvent {
    at: EventSite,
    about: About,
    /// The message as a JSON object, as pages get it.
    message: Value,
}

enum About {
    SignOn(Uuid),
    Client(Uuid),
}

impl SiteEvent {
    /// `None` for what is not for sites' backends.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let (at, about) = match event {
            Event::Registered { at, client_id, .. }
            | Event::Uploaded { at, client_id, .. }
            | Event::EnrolmentFailed { at, client_id, .. } => (at, About::Client(*client_id)),
            Event::Scanning { at, sign_on_id }
            | Event::Retry { at, sign_on_id, .. }
            | Event::Decided { at, sign_on_id, .. } => (at, About::SignOn(*sign_on_id)),
            Event::Asked { .. } | Event::PhoneChanged { .. } => return None,
        };
        let (_, message) = channels::for_backend(event)?;
        let mut message: Value = serde_json::from_str(message.ok()?.payload()).ok()?;
        // Whoever holds it can be signed in; it travels through the person's page alone.
        message.as_object_mut()?.remove("client_session_token");
        Some(Self {
            at: at.clone(),
            about,
            message,
        })
    }

    /// The channel and the text; `None` when the site has no user who could listen.
    pub(super) async fn addressed(
        mut self,
        state: &State,
    ) -> Result<Option<(String, String)>, DbErr> {
        let EventSite {
            site_id,
            channel_prefix,
        } = &self.at;
        if site::find_redis_user(&state.db, *site_id).await?.is_none() {
            return Ok(None);
        }
        let channel = match self.about {
            About::Client(client_id) => format!("{channel_prefix}:device:{client_id}"),
            About::SignOn(id) => {
                let Some((client_id, token_hash)) =
                    sign_on::client_and_token(state, *site_id, id).await?
                else {
                    return Ok(None);
                };
                self.message["sign_on_id"] = json!(id);
                self.message["client_id"] = json!(client_id);
                format!("{channel_prefix}:sign_on:{}", hex::encode(&token_hash))
            }
        };
        Ok(Some((channel, self.message.to_string())))
    }
}
