//! The installation's keys. The database holds them sealed under one master key, which lives in a
//! file that all servers of an installation share; a stolen database alone opens nothing.
//!
//! A key is replaced by a newer one of the same purpose, never changed. The old one is kept, retired,
//! as long as anything names it; a server that meets the id of a key it does not know looks it up.

mod error;
mod master;
mod pair;
mod rotate;
mod sealing;
mod store;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use hmac::{Hmac, Mac};
use rand::RngExt as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, entity::prelude::*};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use self::master::Master;
pub use self::{
    error::KeyError,
    pair::SigningPair,
    rotate::{MasterChange, forget, forget_unused, retire, retired, rotate_master},
    sealing::{SealingKey, Unsealable},
    store::{Listed, list},
};
use crate::platform::clock::Moment;

/// What a key of the installation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Signs the tokens of sites and widgets.
    SiteTokens,
    /// Signs receipts, which are to be checked years later: its keys of before stay published.
    Receipts,
    /// Signs for this installation to push services.
    WebPush,
    /// Client session tokens are derived from it.
    Session,
    /// Chains the lines of the audit log.
    Audit,
    /// Seals what is kept of frames already seen.
    Frames,
    /// Seals secrets which are used to sign or to sign in elsewhere.
    Outgoing,
    /// Seals templates and what else must not be read in a stolen database.
    Data,
    /// The secret from which the transforms of this site's templates are derived.
    Transform(Uuid),
}

impl Purpose {
    /// As it is stored; keys are sealed with it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::SiteTokens => "site_tokens".into(),
            Self::Receipts => "receipts".into(),
            Self::WebPush => "web_push".into(),
            Self::Session => "session".into(),
            Self::Audit => "audit".into(),
            Self::Frames => "frames".into(),
            Self::Outgoing => "outgoing".into(),
            Self::Data => "data".into(),
            Self::Transform(site_id) => format!("transform:{site_id}"),
        }
    }

    /// A new key for it.
    fn make(self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::SiteTokens | Self::Receipts | Self::WebPush => pair::draw(&self.name()),
            _ => Ok(Zeroizing::new(rand::rng().random::<[u8; 32]>().to_vec())),
        }
    }
}

/// An open key of 32 bytes; wiped from memory when nobody holds it any more.
#[derive(Clone)]
pub struct Key {
    /// Kept beside what was made with it.
    pub id: Uuid,
    secret: Arc<Zeroizing<Vec<u8>>>,
}

impl Key {
    /// The key for sealing.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] if it has another length.
    pub fn sealing(&self) -> Result<SealingKey, KeyError> {
        SealingKey::new(&self.secret).ok_or_else(|| KeyError::Damaged(self.id.to_string()))
    }

    /// A new key of 32 bytes that lives apart from the installation's keys, sealed by one of them.
    ///
    /// # Errors
    /// Only when it cannot be drawn.
    pub fn draw(id: Uuid) -> Result<Self, KeyError> {
        let secret = Arc::new(Purpose::Data.make()?);
        Ok(Self { id, secret })
    }

    /// Seals another key; `about` must be the same when it is opened.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] if this key has another length than a key for sealing.
    pub fn seal_key(&self, other: &Self, about: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sealing()?
            .seal(about, &other.secret)
            .map_err(|_| KeyError::Damaged(other.id.to_string()))
    }

    /// Opens what [`Self::seal_key`] made, under the name `id`.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] if it was sealed by another key or about something else.
    pub fn open_key(&self, id: Uuid, sealed: &[u8], about: &[u8]) -> Result<Self, KeyError> {
        let secret = self
            .sealing()?
            .open(about, sealed)
            .map_err(|_| KeyError::Damaged(id.to_string()))?;
        Ok(Self {
            id,
            secret: Arc::new(secret),
        })
    }

    /// A secret bound to `about`: the same each time, and unguessable without the key.
    #[must_use]
    pub fn derive(&self, about: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut output = Zeroizing::new([0; 32]);
        // HMAC takes a key of any length, so this cannot fail.
        if let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.secret) {
            mac.update(about);
            output.copy_from_slice(&mac.finalize().into_bytes());
        }
        output
    }
}

/// Every key of the installation, open or to be opened when it is needed.
pub struct Keyring {
    session: Key,
    audit: Key,
    frames: Key,
    outgoing: Key,
    master: Master,
    opened: RwLock<HashMap<(Purpose, Uuid), Key>>,
    pairs: RwLock<HashMap<Uuid, Arc<SigningPair>>>,
}

impl Keyring {
    /// Opens the keys, making those that do not exist yet.
    ///
    /// # Errors
    /// When the master key is missing its file, is another one, or the database fails.
    pub async fn open(
        db: &DatabaseConnection,
        master_file: &Path,
        now: Moment,
    ) -> Result<Self, KeyError> {
        let master = Master::load(master_file, store::has_any(db).await?)?;
        // First, as it is the one by which a server sees that its master key is still the right one.
        let session = store::current(db, &master, Purpose::Session, now).await?;
        // Versions of before derived these from the session's key: what they chained and sealed stays good, and
        // the session's key can be replaced without them.
        let lasting = async |purpose, about| {
            let first = || Ok(Zeroizing::new(session.derive(about).to_vec()));
            store::current_or(db, &master, purpose, now, first).await
        };
        let audit = lasting(Purpose::Audit, b"the chain of the audit log".as_slice()).await?;
        let frames = lasting(Purpose::Frames, b"frames already seen".as_slice()).await?;
        let outgoing = lasting(Purpose::Outgoing, b"secrets for going out").await?;
        let keyring = Self {
            session,
            audit,
            frames,
            outgoing,
            master,
            opened: RwLock::default(),
            pairs: RwLock::default(),
        };
        for purpose in [
            Purpose::SiteTokens,
            Purpose::Receipts,
            Purpose::WebPush,
            Purpose::Data,
        ] {
            keyring.current(db, purpose, now).await?;
        }
        Ok(keyring)
    }

    /// The key in force for `purpose`: made at first use, and asked for each time, since another
    /// program may have replaced it. Not to be called inside a transaction.
    ///
    /// # Errors
    /// When it does not open or the database fails.
    pub async fn current(
        &self,
        db: &DatabaseConnection,
        purpose: Purpose,
        now: Moment,
    ) -> Result<Key, KeyError> {
        match store::current_id(db, purpose).await? {
            Some(id) => self.find(db, purpose, id).await,
            None => store::current(db, &self.master, purpose, now).await,
        }
    }

    /// The key that something names as the one it was made with, retired or not.
    ///
    /// # Errors
    /// [`KeyError::Missing`] for an unknown id, or one of another purpose.
    pub async fn find(
        &self,
        db: &impl ConnectionTrait,
        purpose: Purpose,
        id: Uuid,
    ) -> Result<Key, KeyError> {
        let known = {
            let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
            opened.get(&(purpose, id)).cloned()
        };
        if let Some(key) = known {
            return Ok(key);
        }
        let key = store::find(db, &self.master, purpose, id).await?;
        self.opened
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((purpose, id), key.clone());
        Ok(key)
    }

    /// The pair that signs now. As with [`Self::current`], it is asked for each time.
    ///
    /// # Errors
    /// When it does not open or the database fails.
    pub async fn signing(
        &self,
        db: &DatabaseConnection,
        purpose: Purpose,
        now: Moment,
    ) -> Result<Arc<SigningPair>, KeyError> {
        let key = self.current(db, purpose, now).await?;
        self.pair(&key)
    }

    /// The pair that something names as the one that signed it.
    ///
    /// # Errors
    /// [`KeyError::Missing`] for an unknown id, or one of another purpose.
    pub async fn checking(
        &self,
        db: &DatabaseConnection,
        purpose: Purpose,
        id: Uuid,
    ) -> Result<Arc<SigningPair>, KeyError> {
        let key = self.find(db, purpose, id).await?;
        self.pair(&key)
    }

    /// The public halves of everything that signs, and of what has signed and may still be checked.
    ///
    /// # Errors
    /// When one does not open or the database fails.
    pub async fn published(&self, db: &DatabaseConnection) -> Result<Vec<Value>, KeyError> {
        let mut published = Vec::new();
        for purpose in [Purpose::SiteTokens, Purpose::Receipts] {
            let pairs = self.pairs(db, purpose).await?;
            published.extend(pairs.iter().map(|pair| pair.jwk.clone()));
        }
        Ok(published)
    }

    /// The pair that signs and those of before, the newest first.
    ///
    /// # Errors
    /// When one does not open or the database fails.
    pub async fn pairs(
        &self,
        db: &DatabaseConnection,
        purpose: Purpose,
    ) -> Result<Vec<Arc<SigningPair>>, KeyError> {
        let mut pairs = Vec::new();
        for id in store::ids(db, purpose).await? {
            pairs.push(self.checking(db, purpose, id).await?);
        }
        Ok(pairs)
    }

    fn pair(&self, key: &Key) -> Result<Arc<SigningPair>, KeyError> {
        let known = {
            let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
            pairs.get(&key.id).cloned()
        };
        if let Some(pair) = known {
            return Ok(pair);
        }
        let pair = Arc::new(SigningPair::read(key.id, &key.secret)?);
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        pairs.insert(key.id, Arc::clone(&pair));
        Ok(pair)
    }

    /// The key for what servers share outside of the database: derived, so that all have the same.
    #[must_use]
    pub fn shared_key(&self) -> Key {
        self.derived(b"what servers share in Redis")
    }

    /// The key that seals secrets which are handed out for minutes and may be asked for again.
    #[must_use]
    pub fn issuing_key(&self) -> Key {
        self.derived(b"secrets handed out")
    }

    /// The key of the hashes that chain the audit log: without it nobody makes a line that fits.
    #[must_use]
    pub fn audit_key(&self) -> Key {
        self.audit.clone()
    }

    /// The key that seals what is kept of frames already seen.
    #[must_use]
    pub fn frames_key(&self) -> Key {
        self.frames.clone()
    }

    /// The key that seals secrets which are used to sign or to sign in elsewhere.
    #[must_use]
    pub fn outgoing_key(&self) -> Key {
        self.outgoing.clone()
    }

    fn derived(&self, about: &[u8]) -> Key {
        Key {
            id: self.session.id,
            secret: Arc::new(Zeroizing::new(self.session.derive(about).to_vec())),
        }
    }

    /// The id that stands for an address which a site does not know: the same each time, and nobody's.
    #[must_use]
    pub fn derive_stand_in(&self, site_id: Uuid, address: &str) -> Uuid {
        let about: &[u8] = b"an address that the site does not know";
        let secret = self
            .session
            .derive(&[about, site_id.as_bytes(), address.as_bytes()].concat());
        let mut id = [0; 16];
        id.copy_from_slice(&secret[..16]);
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    /// A secret bound to `subject`: the same each time, and unguessable without the key.
    #[must_use]
    pub fn derive_session_secret(&self, subject: Uuid) -> [u8; 32] {
        *self
            .session
            .derive(&[b"client session token", subject.as_bytes().as_slice()].concat())
    }

    /// The secret of a phone's token: the same however often the phone asks.
    #[must_use]
    pub fn derive_device_secret(&self, device: Uuid) -> [u8; 32] {
        *self
            .session
            .derive(&[b"device token".as_slice(), device.as_bytes().as_slice()].concat())
    }

    /// The secret of the link in a letter: the same each time that the letter is sent.
    #[must_use]
    pub fn derive_link_secret(&self, letter: Uuid) -> [u8; 32] {
        *self
            .session
            .derive(&[b"link in a letter".as_slice(), letter.as_bytes().as_slice()].concat())
    }
}
