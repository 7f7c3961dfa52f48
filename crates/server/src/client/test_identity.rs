//! Test identities: addresses that stand for a verdict on sites in test mode, so that an integration
//! can be seen to work, and be tested, without a phone.

use sea_orm::{DeriveActiveEnum, EnumIter};
use uuid::Uuid;

use super::{
    model::{Client, ClientError, Email, FullName},
    store,
};
use crate::{
    platform::{clock::Moment, state::State},
    site::{Site, TestSite},
};

/// What becomes of every sign-on of this identity. Its address is `<word>@example.test`, a domain that
/// is nobody's (RFC 2606).
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TestIdentity {
    /// `approve@`: is recognised.
    #[sea_orm(string_value = "approve")]
    Approve,
    /// `deny@`: says no.
    #[sea_orm(string_value = "deny")]
    Deny,
    /// `wrong-face@`: is not recognised, at any try.
    #[sea_orm(string_value = "wrong-face")]
    WrongFace,
    /// `expire@`: its time is over at once.
    #[sea_orm(string_value = "expire")]
    Expire,
    /// `no-device@`: has no phone that could be pushed to.
    #[sea_orm(string_value = "no-device")]
    NoDevice,
}

impl TestIdentity {
    const ALL: [Self; 5] = [
        Self::Approve,
        Self::Deny,
        Self::WrongFace,
        Self::Expire,
        Self::NoDevice,
    ];

    /// Which one has this address, as addresses are compared.
    fn at(email_key: &str) -> Option<Self> {
        let word = email_key.strip_suffix("@example.test")?;
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The word of its address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::WrongFace => "wrong-face",
            Self::Expire => "expire",
            Self::NoDevice => "no-device",
        }
    }
}

/// A test identity as a client of a site in test mode. [`TestClient::of`] is the only way to one, so that
/// what takes it cannot be reached by a live site, nor by any other client.
#[derive(Clone, Copy)]
pub struct TestClient<'a> {
    site: TestSite<'a>,
    client: &'a Client,
    identity: TestIdentity,
}

impl<'a> TestClient<'a> {
    /// The client as a test identity, if it is one and the site is in test mode.
    #[must_use]
    pub fn of(site: &'a Site, client: &'a Client) -> Option<Self> {
        if client.site_id != site.id {
            return None;
        }
        Some(Self {
            site: TestSite::of(site)?,
            client,
            identity: TestIdentity::at(&client.email_key)?,
        })
    }

    /// What becomes of its sign-ons.
    #[must_use]
    pub fn identity(self) -> TestIdentity {
        self.identity
    }

    /// Its site.
    #[must_use]
    pub fn site(self) -> &'a Site {
        self.site.site()
    }

    /// Its client.
    #[must_use]
    pub fn client(self) -> &'a Client {
        self.client
    }

    /// Its `client_id`.
    #[must_use]
    pub fn id(self) -> Uuid {
        self.client.id
    }
}

/// A client by address, for a sign-on. A site in test mode need not make test identities known first.
///
/// # Errors
/// [`ClientError::NotFound`], also for another site's client.
pub async fn find_to_sign_on(
    state: &State,
    site: &Site,
    email: &Email,
    now: Moment,
) -> Result<Client, ClientError> {
    let found = store::find_by_email(&state.db, site, email).await;
    let is_test = TestSite::of(site).is_some() && TestIdentity::at(&email.key()).is_some();
    if !is_test || !matches!(found, Err(ClientError::NotFound)) {
        return found;
    }
    match store::create(state, site, email, &FullName::default(), now).await {
        // Of two requests at once one makes it.
        Ok(_) | Err(ClientError::EmailTaken(_)) => {
            store::find_by_email(&state.db, site, email).await
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Domain, NewSite};

    fn client(site: &Site, address: &str) -> Client {
        Client {
            id: Uuid::new_v4(),
            site_id: site.id,
            email: address.to_owned(),
            email_key: Email::try_from(address.to_owned()).unwrap().key(),
            full_name: String::new(),
            name_key: String::new(),
            failures: 0,
            locked_until: None,
            locked_permanently: false,
            created_at: Moment::default(),
        }
    }

    fn site(test_mode: bool) -> Site {
        let mut new = NewSite::at(&Domain::parse("a.example").unwrap(), Moment::default());
        new.site.settings.test_mode = test_mode;
        new.site
    }

    #[test]
    fn only_the_five_addresses_are_test_identities() {
        let site = site(true);
        for (address, identity) in [
            ("approve@example.test", Some(TestIdentity::Approve)),
            ("Deny@Example.test", Some(TestIdentity::Deny)),
            ("wrong-face@example.test", Some(TestIdentity::WrongFace)),
            ("expire@example.test", Some(TestIdentity::Expire)),
            ("no-device@example.test", Some(TestIdentity::NoDevice)),
            ("ann@example.test", None),
            ("approve@example.com", None),
            ("approve@example.test.evil.example", None),
            ("approve@evil-example.test", None),
            ("approve+x@example.test", None),
        ] {
            let client = client(&site, address);
            let found = TestClient::of(&site, &client).map(TestClient::identity);
            assert_eq!(found, identity, "{address}");
        }
    }

    #[test]
    fn a_live_site_has_none_and_neither_has_another_sites_client() {
        let (live, test) = (site(false), site(true));
        assert!(TestClient::of(&live, &client(&live, "approve@example.test")).is_none());
        assert!(TestClient::of(&test, &client(&live, "approve@example.test")).is_none());
    }
}
