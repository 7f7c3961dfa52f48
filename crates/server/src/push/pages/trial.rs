//! Whose phones are tried, and what came of it.

use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::{
    client::{self, Client, ClientError, Email},
    device::{self, Device, Push, Standing},
    platform::clock::Moment,
    push::Tried,
    site::Site,
};

/// A person whose phones may be sent a test.
#[derive(Default)]
pub(super) struct Trial {
    /// What was typed: an address, or the id of a client or a phone.
    pub(super) whom: String,
    /// Why nobody is meant by it.
    pub(super) error: Option<&'static str>,
    /// Who is.
    pub(super) person: Option<Person>,
}

/// Whoever is meant.
pub(super) struct Person {
    pub(super) client: Client,
    pub(super) phones: Vec<Phone>,
}

/// One of their phones.
pub(super) struct Phone {
    pub(super) device: Device,
    pub(super) way: &'static str,
    /// Why it is not pushed to, if it is not.
    pub(super) not_for: Option<&'static str>,
    /// What came of a test just now.
    pub(super) tried: Option<Tried>,
}

impl Phone {
    fn new(device: &Device, all: &[Device]) -> Self {
        let not_for = match device.push {
            _ if Standing::among(device, all) == Standing::Waiting => {
                Some("waits to be confirmed, and is told nothing until then")
            }
            _ if device.push_lost_at.is_some() => {
                Some("its app was removed, or has not been opened since its address ended")
            }
            Push::None => Some("woken by nothing: it finds requests when the app is opened"),
            Push::WebPush { .. } | Push::Fcm { .. } => None,
        };
        Self {
            way: match device.push {
                Push::WebPush { .. } => "browser (Web Push)",
                Push::Fcm { .. } => "app (FCM)",
                Push::None => "inbox alone",
            },
            not_for,
            device: device.clone(),
            tried: None,
        }
    }
}

impl Trial {
    /// Whom a text means on a site.
    pub(super) async fn of(
        (db, now): (&DatabaseConnection, Moment),
        site: &Site,
        whom: &str,
    ) -> Result<Self, ClientError> {
        let whom = whom.trim();
        let mut trial = Self {
            whom: whom.to_owned(),
            ..Self::default()
        };
        if whom.is_empty() {
            return Ok(trial);
        }
        match find(db, site, whom).await {
            Ok(client) => {
                let devices = device::paired(db, site.id, client.id, now).await?;
                let phone = |device: &Device| Phone::new(device, &devices);
                trial.person = Some(Person {
                    phones: devices.iter().map(phone).collect(),
                    client,
                });
            }
            Err(ClientError::Database(error)) => return Err(error.into()),
            Err(_) => {
                trial.error = Some(
                    "This app knows nobody by that. Write the whole e-mail address, or an id.",
                );
            }
        }
        Ok(trial)
    }

    /// The phone of this id, if it can be sent a test.
    pub(super) fn phone(&mut self, id: Uuid) -> Option<&mut Phone> {
        let mut phones = self.person.as_mut()?.phones.iter_mut();
        phones.find(|phone| phone.device.id == id && phone.not_for.is_none())
    }
}

async fn find(db: &DatabaseConnection, site: &Site, whom: &str) -> Result<Client, ClientError> {
    if let Ok(id) = whom.parse::<Uuid>() {
        let device = device::find(db, site.id, id).await?;
        let id = device.map_or(id, |device| device.client_id);
        return client::find(db, site, id).await;
    }
    let email = Email::try_from(whom.to_owned()).map_err(|_| ClientError::NotFound)?;
    client::find_by_email(db, site, &email).await
}
