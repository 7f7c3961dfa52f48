//! What a push says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{platform::config::Settings, site::Site};

/// What a phone shows: that somebody asks, and where. In the form that browsers show by themselves (Declarative
/// Web Push), and that a service worker reads. No number, and nothing that answers.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    web_push: u16,
    /// A service worker may say it in the phone's language instead.
    mutable: bool,
    pub(super) notification: Notification,
    pub(super) site: Named,
    sign_on_id: Uuid,
    device_id: Uuid,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Notification {
    pub(super) title: String,
    pub(super) body: String,
    navigate: String,
    tag: Uuid,
    lang: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) domain: String,
}

impl Told {
    /// Tells a phone of a sign-on.
    pub(super) fn sign_on(settings: &Settings, site: &Site, device_id: Uuid, id: Uuid) -> Self {
        let title = format!("Sign in to {}?", site.name);
        let body = "Open to answer. If it was not you, refuse it there.";
        Self::new(settings, site, (device_id, id), (title, body))
    }

    /// Tells a phone that pushes reach it.
    pub(super) fn test(settings: &Settings, site: &Site, device_id: Uuid, id: Uuid) -> Self {
        let title = format!("A test from {}", site.name);
        let body = "Notifications reach this phone. There is nothing to answer.";
        Self {
            test: true,
            ..Self::new(settings, site, (device_id, id), (title, body))
        }
    }

    fn new(
        settings: &Settings,
        site: &Site,
        (device_id, sign_on_id): (Uuid, Uuid),
        (title, body): (String, &str),
    ) -> Self {
        Self {
            web_push: 8030,
            mutable: true,
            notification: Notification {
                title,
                body: body.to_owned(),
                navigate: format!("{}/phone/", settings.public_url()),
                tag: sign_on_id,
                lang: "en".to_owned(),
            },
            site: Named {
                name: site.name.clone(),
                domain: site.domain.clone(),
            },
            sign_on_id,
            device_id,
            test: false,
        }
    }

    /// As the outbox keeps it.
    pub(super) fn text(&self) -> String {
        // Texts and ids, which JSON always can hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As the outbox kept it.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
