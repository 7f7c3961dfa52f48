//! A site and what its owner can set.

use face::FmrLevel;
use sea_orm::{DeriveActiveEnum, EnumIter, FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use utoipa::ToSchema;

use super::{domain::DomainError, origins::Origins};
use crate::platform::{
    clock::Moment,
    events::EventSite,
    secret::{self, Secret},
};

/// One registered website or application.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sites")]
pub struct Model {
    /// The contract's `site_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What the dashboard shows.
    pub name: String,
    /// The registrable domain or host name, as [`Domain`](super::Domain) normalises it.
    pub domain: String,
    /// Public half of the keys.
    #[sea_orm(unique)]
    pub api_key: String,
    /// Prefix of the site's streams.
    #[sea_orm(unique)]
    pub channel_prefix: String,
    /// What the owner set.
    #[sea_orm(column_type = "JsonBinary")]
    pub settings: SiteSettings,
    /// Tokens issued before this moment are revoked.
    pub tokens_not_before: DateTimeUtc,
    /// Set while the site is switched off.
    pub disabled_at: Option<DateTimeUtc>,
    /// When it was registered.
    pub created_at: DateTimeUtc,
    /// Whether it is the dashboard's own, by which accounts sign in.
    pub is_dashboard: bool,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Site;

impl Site {
    /// Whether it may be used at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether a page from `origin` is the site's: one that its origins name, and where they name
    /// none, one of its domain, with or without `www.`, under any scheme and port.
    #[must_use]
    pub fn has_page(&self, origin: &str) -> bool {
        self.settings.origins.list(origin, &self.domain)
    }

    /// Whether the cable may be opened from `origin`: by its own pages, and by what names none and so is no
    /// browser.
    #[must_use]
    pub fn admits(&self, origin: Option<&str>) -> bool {
        self.settings.origins.admit(origin, &self.domain)
    }

    /// Where its events belong.
    #[must_use]
    pub fn for_events(&self) -> EventSite {
        EventSite {
            site_id: self.id,
            channel_prefix: self.channel_prefix.clone(),
        }
    }
}

/// Whether and how a scan must prove a living person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[serde(rename_all = "lowercase")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Liveness {
    /// Not at all: a photo of a face passes as the face.
    #[sea_orm(string_value = "off")]
    Off,
    /// By what a single picture gives away: screens are noticed, a good print is not.
    #[sea_orm(string_value = "passive")]
    Passive,
    /// By what the person does when asked: a picture cannot follow.
    #[sea_orm(string_value = "active")]
    Active,
}

/// What a site's owner can set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSettings {
    /// Which presentation-attack detection a scan must pass.
    pub liveness: Liveness,
    /// False match rate the comparison is held to.
    pub fmr: FmrLevel,
    /// Tries of one sign-on, 1 to 5.
    pub tries: i32,
    /// Whether `push_notification` asks for the two-digit number. (`send_push` always does.)
    pub number_matching: bool,
    /// Whether the backend may enrol faces by `upload_facial`.
    pub backend_enrolment: bool,
    /// Whether the backend alone may put another face in the place of one that is enrolled.
    pub backend_replaces_face: bool,
    /// Whether cable connections need the site's token.
    pub cable_token: bool,
    /// From which pages the cable may be opened; empty: from those of its domain.
    pub origins: Origins,
    /// Whether confident scans may be taken as further references, so that a face may age.
    pub adaptation: bool,
    /// Whether the phone that enrolled a face may enrol it again by itself after the face pack changed.
    pub reenrol_by_phone: bool,
    /// Whether test identities give their verdicts here; never on for people's sign-ons.
    pub test_mode: bool,
    /// Days that sign-ons are kept; without, as long as the installation says.
    pub sign_on_days: Option<u32>,
    /// Days that lines of the audit log are kept; without, as long as the installation says.
    pub audit_days: Option<u32>,
}

/// Most days that a site may keep what is over: a hundred years.
const MOST_DAYS: u32 = 36_500;

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            liveness: Liveness::Active,
            fmr: FmrLevel::OneIn10000,
            tries: 3,
            number_matching: true,
            backend_enrolment: true,
            backend_replaces_face: false,
            cable_token: false,
            origins: Origins::default(),
            adaptation: false,
            reenrol_by_phone: true,
            test_mode: false,
            sign_on_days: None,
            audit_days: None,
        }
    }
}

impl SiteSettings {
    /// The same with one setting changed, given as texts.
    ///
    /// # Errors
    /// When there is no such setting or it cannot have this value.
    pub fn with(&self, key: &str, value: &str) -> Result<Self, SiteError> {
        let wrong = |reason: String| SiteError::Setting {
            key: key.to_owned(),
            reason,
        };
        let mut table = serde_json::to_value(self).map_err(|error| wrong(error.to_string()))?;
        let Some(slot) = table.get_mut(key) else {
            let known = table.as_object().map(|map| {
                let names: Vec<&str> = map.keys().map(String::as_str).collect();
                names.join(", ")
            });
            return Err(wrong(format!(
                "there is no such setting; there are {}",
                known.unwrap_or_default()
            )));
        };
        *slot = match slot {
            serde_json::Value::String(_) => value.into(),
            serde_json::Value::Array(_) => value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
            _ => serde_json::from_str(value)
                .map_err(|_| wrong(format!("cannot be {value:?}; it is {slot} now")))?,
        };
        let changed: Self =
            serde_json::from_value(table).map_err(|error| wrong(error.to_string()))?;
        if !(1..=5).contains(&changed.tries) {
            return Err(wrong("must be from 1 to 5".into()));
        }
        let days = [changed.sign_on_days, changed.audit_days];
        if days
            .into_iter()
            .flatten()
            .any(|days| !(1..=MOST_DAYS).contains(&days))
        {
            return Err(wrong(format!("must be from 1 to {MOST_DAYS}, or null")));
        }
        if let Some(entry) = changed.origins.unusable() {
            return Err(wrong(format!(
                "{entry:?} is none of https://shop.example.com, shop.example.com, *.example.com"
            )));
        }
        Ok(changed)
    }
}

impl SiteSettings {
    /// Names what is set but for test mode, so that who changes it can say what they saw.
    #[must_use]
    pub fn version(&self) -> String {
        let settings = Self {
            test_mode: false,
            ..self.clone()
        };
        let text = serde_json::to_string(&settings).unwrap_or_default();
        hex::encode(&Sha256::digest(text)[..8])
    }

    /// What is other there, as `name: from -> to`; `None` where nothing is.
    pub(super) fn changes_to(&self, other: &Self) -> Option<String> {
        let table = |settings: &Self| serde_json::to_value(settings).unwrap_or_default();
        let (before, after) = (table(self), table(other));
        let changes: Vec<String> = after
            .as_object()?
            .iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .map(|(name, value)| format!("{name}: {} -> {value}", before[name]))
            .collect();
        (!changes.is_empty()).then(|| changes.join(", "))
    }
}

/// A new site, with the secret key that is shown this once.
pub struct NewSite {
    /// The row to be stored.
    pub site: Site,
    /// The secret key, which is shown only now.
    pub secret_key: Secret,
}

impl NewSite {
    /// Draws the keys for a site at `domain`.
    #[must_use]
    pub fn at(domain: &super::Domain, now: Moment) -> Self {
        let secret_key = Secret::generate("sk_");
        let site = Site {
            id: Uuid::new_v4(),
            name: domain.to_string(),
            domain: domain.to_string(),
            api_key: secret::public_name("ak_", 16),
            channel_prefix: secret::public_name("ch_", 8),
            settings: SiteSettings::default(),
            tokens_not_before: now,
            disabled_at: None,
            created_at: now,
            is_dashboard: false,
        };
        Self { site, secret_key }
    }
}

/// What can go wrong with a site.
#[derive(Debug, Error)]
pub enum SiteError {
    /// The domain is none.
    #[error("domain {0}")]
    Domain(#[from] DomainError),
    /// Unknown key, wrong secret, or a site that is switched off: never say which.
    #[error("the API key or the secret key is wrong")]
    WrongKeys,
    /// The keys are right and belong to another domain.
    #[error("these keys belong to another domain")]
    OtherDomain(Uuid),
    /// A setting is unknown or cannot have this value.
    #[error("{key}: {reason}")]
    Setting {
        /// Name of the setting that was refused.
        key: String,
        /// What is wrong with the value, and what would do.
        reason: String,
    },
    /// They were changed after somebody looked at them, who knows nothing of that.
    #[error("the settings were changed meanwhile; look at them again")]
    Changed,
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_changed_by_name() {
        let settings = SiteSettings::default();
        assert_eq!(settings.with("tries", "5").unwrap().tries, 5);
        assert!(
            settings
                .with("number_matching", "true")
                .unwrap()
                .number_matching
        );
        assert_eq!(settings.liveness, Liveness::Active);
        let passive = settings.with("liveness", "passive").unwrap();
        assert_eq!(passive.liveness, Liveness::Passive);
        assert_eq!(
            settings.with("fmr", "1/1000").unwrap().fmr,
            FmrLevel::OneIn1000
        );
        let kept = settings.with("audit_days", "30").unwrap();
        assert_eq!(kept.audit_days, Some(30));
        assert_eq!(kept.with("audit_days", "null").unwrap(), settings);
        let listed = settings
            .with("origins", "https://a.example, *.b.example")
            .unwrap();
        assert!(!listed.origins.admit(Some("https://c.example"), "a.example"));
        assert_eq!(listed.with("origins", "").unwrap(), settings);
    }

    #[test]
    fn another_setting_is_another_version_however_many_origins_there_are() {
        let origins: Vec<String> = (0..40)
            .map(|n| format!("https://{n}.shop.example"))
            .collect();
        let settings = SiteSettings::default();
        let settings = settings.with("origins", &origins.join(",")).unwrap();
        for (key, value) in [
            ("audit_days", "7"),
            ("sign_on_days", "7"),
            ("adaptation", "true"),
        ] {
            let changed = settings.with(key, value).unwrap();
            assert_ne!(changed, settings, "{key}");
            assert_ne!(changed.version(), settings.version(), "{key}");
        }
        let tested = settings.with("test_mode", "true").unwrap();
        assert_eq!(
            tested.version(),
            settings.version(),
            "that is switched by itself"
        );
    }

    #[test]
    fn a_wrong_setting_is_refused_by_name() {
        let settings = SiteSettings::default();
        for (key, value) in [
            ("tries", "6"),
            ("tries", "0"),
            ("tries", "many"),
            ("liveness", "maybe"),
            ("number_matching", "yes"),
            ("colour", "red"),
            ("fmr", "1/2"),
            ("origins", "a.example,https://"),
            ("sign_on_days", "0"),
            ("audit_days", "36501"),
        ] {
            let error = settings.with(key, value).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
