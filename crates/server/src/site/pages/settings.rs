//! An app's settings: what a sign-on must prove, test mode, and what cannot be taken back.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    dashboard_pages,
    http::error::{ApiError, ApiResult},
    pages::{
        dashboard::{Access, Fields, Frame, Owner, Viewer, layout},
        layout::{Layout, Page},
    },
    platform::state::Shared,
    site::{self, Site, SiteError, SiteSettings},
};

/// How a setting is shown.
enum Kind {
    /// One of these values, each with its words.
    Choice(&'static [(&'static str, &'static str)]),
    /// On or off.
    Switch,
    /// A number; may be left empty where it says so.
    Number { may_be_empty: bool },
    /// Words with commas between.
    List,
}

struct Setting {
    key: &'static str,
    label: &'static str,
    help: &'static str,
    kind: Kind,
}

impl Setting {
    /// What it is now, for somebody who wrote something else.
    fn now(&self, value: &str) -> String {
        let value = match &self.kind {
            Kind::Switch if value == "true" => "on",
            Kind::Switch => "off",
            Kind::Choice(choices) => choices
                .iter()
                .find(|(known, _)| *known == value)
                .map_or(value, |(_, words)| words),
            _ if value.is_empty() => "empty",
            _ => value,
        };
        format!("Now: {value}.")
    }
}

const fn setting(
    key: &'static str,
    label: &'static str,
    help: &'static str,
    kind: Kind,
) -> Setting {
    Setting {
        key,
        label,
        help,
        kind,
    }
}

/// The groups that are shown, by what somebody wants to decide.
const GROUPS: [(&str, &[Setting]); 4] = [
    (
        "What a sign-on must prove",
        &[
            setting(
                "liveness",
                "A living person",
                "",
                Kind::Choice(&[
                    ("active", "by moving when asked: a picture cannot follow"),
                    (
                        "passive",
                        "by what a single picture gives away: a good print passes",
                    ),
                    ("off", "not at all: a photo passes as the face"),
                ]),
            ),
            setting(
                "fmr",
                "The right face",
                "How often a stranger’s face may be taken for the person’s. The stricter, the more often people must try again.",
                Kind::Choice(&[
                    ("1/1000", "at most 1 stranger in 1,000"),
                    ("1/10000", "at most 1 stranger in 10,000"),
                    ("1/100000", "at most 1 stranger in 100,000"),
                ]),
            ),
            setting(
                "number_matching",
                "Number to match",
                "The page shows two digits that the person types on the phone. (The widget always does.)",
                Kind::Switch,
            ),
            setting(
                "tries",
                "Tries",
                "1 to 5 for each sign-on.",
                Kind::Number {
                    may_be_empty: false,
                },
            ),
        ],
    ),
    (
        "Who may enrol",
        &[
            setting(
                "backend_enrolment",
                "Your backend may enrol faces from photos",
                "",
                Kind::Switch,
            ),
            setting(
                "backend_replaces_face",
                "Your backend alone may replace an enrolled face",
                "Then whoever has its token can become anybody.",
                Kind::Switch,
            ),
            setting(
                "reenrol_by_phone",
                "The phone that enrolled a face may enrol it again after the face pack has changed",
                "",
                Kind::Switch,
            ),
            setting(
                "adaptation",
                "Confident scans become further references, so that a face may age",
                "",
                Kind::Switch,
            ),
        ],
    ),
    (
        "Pages",
        &[
            setting(
                "origins",
                "Origins",
                "Pages from which the cable and widget tokens are used, with commas between. Empty: your domain, with and without www.",
                Kind::List,
            ),
            setting(
                "cable_token",
                "The cable needs the site’s token",
                "Older pages connect without one.",
                Kind::Switch,
            ),
        ],
    ),
    (
        "How long it is kept",
        &[
            setting(
                "sign_on_days",
                "Sign-ons, days",
                "Empty: as long as this installation says.",
                Kind::Number { may_be_empty: true },
            ),
            setting(
                "audit_days",
                "Audit log, days",
                "Empty: as long as this installation says.",
                Kind::Number { may_be_empty: true },
            ),
        ],
    ),
];

/// A setting with its present value.
struct Shown {
    setting: &'static Setting,
    value: String,
    error: Option<String>,
}

impl Shown {
    fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

#[derive(Template)]
#[template(path = "site/pages/settings.html")]
struct SettingsPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    site: Site,
    /// What was typed as the name, and what is wrong with it.
    name: Option<(String, String)>,
    groups: Vec<(&'static str, Vec<Shown>)>,
}

dashboard_pages!(SettingsPage);

/// A value as a form has it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let items: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

/// What a form sent for a setting, as [`site::SiteSettings::with`] takes it.
fn sent(setting: &Setting, form: &HashMap<String, String>) -> String {
    let value = form.get(setting.key).map(|value| value.trim());
    match (&setting.kind, value) {
        (Kind::Switch, value) => (value == Some("true")).to_string(),
        (Kind::Number { may_be_empty: true }, None | Some("")) => "null".to_owned(),
        (_, value) => value.unwrap_or_default().to_owned(),
    }
}

type Wrong = (String, String);

/// What was not done, and why.
#[derive(Default)]
struct Refused<'a> {
    /// The form of settings, which is shown as it was sent.
    form: Option<&'a HashMap<String, String>>,
    /// The setting in it that is wrong.
    wrong: Option<Wrong>,
    /// The name that was typed, with what is wrong with it.
    name: Option<Wrong>,
    /// In a sentence.
    error: Option<String>,
}

async fn show(access: &Access, refused: Refused<'_>) -> ApiResult<Response> {
    let Refused {
        form,
        wrong,
        name,
        error,
    } = refused;
    let settings = &access.site.settings;
    let table = serde_json::to_value(settings).map_err(|error| ApiError::internal(&error))?;
    let shown = |setting: &'static Setting| {
        let error = wrong.as_ref().filter(|(key, _)| key == setting.key);
        let now = text(&table[setting.key]);
        let value = match &form {
            Some(form) if matches!(setting.kind, Kind::Switch) => sent(setting, form),
            Some(form) => form.get(setting.key).cloned().unwrap_or_default(),
            None => now.clone(),
        };
        // Where nothing that was typed is wrong, what holds by now is another.
        let other = (wrong.is_none() && value != now).then(|| setting.now(&now));
        Shown {
            value,
            error: error
                .map(|(_, reason)| format!("{} {reason}.", setting.label))
                .or(other),
            setting,
        }
    };
    let is_wrong = error.is_some() || form.is_some() || name.is_some();
    let page = SettingsPage {
        layout: layout(),
        frame: access.frame("settings").await?,
        error: error.or_else(|| {
            form.as_ref()
                .map(|_| "Nothing was saved. Mend what is marked below.".to_owned())
        }),
        site: access.site.clone(),
        name,
        groups: GROUPS
            .iter()
            .map(|(name, settings)| (*name, settings.iter().map(shown).collect()))
            .collect(),
    };
    page.answer(if is_wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    })
}

pub(super) async fn page(Viewer(access): Viewer) -> ApiResult<Response> {
    show(&access, Refused::default()).await
}

#[derive(Deserialize)]
pub(super) struct Called {
    #[serde(default)]
    name: String,
}

pub(super) async fn rename(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(called): Fields<Called>,
) -> ApiResult<Response> {
    let wanted = (access.site.id, called.name.as_str());
    match site::rename(&state.db, &state.keys, wanted, state.now()).await {
        Ok(name) => {
            let sentence = format!("The app is called {name} now.");
            access.back_to("/settings", sentence).await
        }
        Err(SiteError::Setting { reason, .. }) => {
            let refused = Refused {
                error: Some(format!("The app was not renamed: its name {reason}.")),
                name: Some((called.name, reason)),
                ..Refused::default()
            };
            show(&access, refused).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn store(
    State(state): State<Shared>,
    Owner(mut access): Owner,
    Fields(form): Fields<HashMap<String, String>>,
) -> ApiResult<Response> {
    let change = |settings: &SiteSettings| {
        if form.get("seen") != Some(&settings.version()) {
            return Err(SiteError::Changed);
        }
        let mut all = GROUPS.iter().flat_map(|(_, settings)| *settings);
        all.try_fold(settings.clone(), |settings, setting| {
            settings.with(setting.key, &sent(setting, &form))
        })
    };
    let id = access.site.id;
    match site::change_settings(&state.db, &state.keys, id, change, state.now()).await {
        Ok(_) => access.back_to("/settings", "The settings are saved.").await,
        Err(SiteError::Setting { key, reason }) => {
            let refused = Refused {
                form: Some(&form),
                wrong: Some((key, reason)),
                ..Refused::default()
            };
            show(&access, refused).await
        }
        Err(SiteError::Changed) => {
            let sentence = "Nothing was saved: somebody changed the settings since you opened this page. Here is what you wrote; where that differs, what holds now stands beside it. Save again to have yours.";
            let site = site::find(&state.db, id).await?;
            access.site = site.unwrap_or(access.site);
            let refused = Refused {
                form: Some(&form),
                error: Some(sentence.to_owned()),
                ..Refused::default()
            };
            show(&access, refused).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Switched {
    to: Switch,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

pub(super) async fn set_test_mode(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(wanted): Fields<Switched>,
) -> ApiResult<Response> {
    let is_on = wanted.to == Switch::On;
    site::set_test_mode(&state.db, &state.keys, access.site.id, is_on, state.now()).await?;
    let sentence = if is_on {
        "The app is in test mode: whoever types approve@example.test signs in."
    } else {
        "The app is live: test identities get no verdict."
    };
    access.back_to("/settings", sentence).await
}

/// The domain, typed to show that it is meant.
#[derive(Deserialize)]
pub(super) struct Meant {
    #[serde(default)]
    domain: String,
    to: Option<Switch>,
}

impl Meant {
    fn is_meant(&self, site: &Site) -> bool {
        self.domain.trim().eq_ignore_ascii_case(&site.domain)
    }
}

async fn not_meant(access: &Access) -> ApiResult<Response> {
    let sentence = format!(
        "Nothing was done. Type {} to show that you mean it.",
        access.site.domain
    );
    let refused = Refused {
        error: Some(sentence),
        ..Refused::default()
    };
    show(access, refused).await
}

pub(super) async fn revoke_tokens(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(meant): Fields<Meant>,
) -> ApiResult<Response> {
    if !meant.is_meant(&access.site) {
        return not_meant(&access).await;
    }
    site::revoke_tokens(&state.db, &state.keys, &access.site, state.now()).await?;
    let sentence = "All tokens are revoked. Your backend asks for a new one by itself.";
    access.back_to("/settings", sentence).await
}

pub(super) async fn switch(
    State(state): State<Shared>,
    Owner(access): Owner,
    Fields(meant): Fields<Meant>,
) -> ApiResult<Response> {
    let is_on = meant.to == Some(Switch::On);
    if !is_on && !meant.is_meant(&access.site) {
        return not_meant(&access).await;
    }
    site::switch(&state.db, &state.keys, &access.site, is_on, state.now()).await?;
    let sentence = if is_on {
        "The app is on."
    } else {
        "The app is off: its keys, its tokens and its people’s phones are unknown until it is on again."
    };
    access.back_to("/settings", sentence).await
}
