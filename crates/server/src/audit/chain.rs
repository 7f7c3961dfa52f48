//! The hashes that make lines a chain. What is hashed is written down in `docs/audit.md`.

use std::fmt;

use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::platform::{
    clock::Moment,
    keys::{Key, Keyring},
};

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Id of the line.
    pub id: Uuid,
    /// The site it belongs to; nil for the installation.
    pub site_id: Uuid,
    /// Whom it was done to.
    pub client_id: Option<Uuid>,
    /// The phone that it is about.
    pub device_id: Option<Uuid>,
    /// The sign-on that it was part of.
    pub sign_on_id: Option<Uuid>,
    /// What was done, as [`Action`](super::Action) names it.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// The network that it was asked for from.
    pub network: String,
    /// What else there is to say.
    pub detail: String,
    /// When it was done.
    pub created_at: Moment,
}

/// HMAC-SHA-256 over a line or a head; empty before the first line.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hash(pub Vec<u8>);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Hash {
    /// Whether it is this one, without telling by the time taken how much of it is.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A place in a chain: the number of a line and its hash. 0 is before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq: i64,
    pub(super) hash: Hash,
}

/// The chain of one site.
pub(super) struct Chain {
    pub(super) site_id: Uuid,
    key: Key,
}

impl Chain {
    pub(super) fn of(keys: &Keyring, site_id: Uuid) -> Self {
        Self {
            site_id,
            key: keys.audit_key(),
        }
    }

    /// The place of a line that follows `before`.
    pub(super) fn next(&self, before: &Place, content: &Content) -> Place {
        let seq = before.seq + 1;
        let mut bytes = Bytes::new(b"axiam audit line 1");
        bytes.add(self.site_id.as_bytes());
        bytes.add(&seq.to_be_bytes());
        bytes.add(&before.hash.0);
        bytes.add(content.id.as_bytes());
        for id in [content.client_id, content.device_id, content.sign_on_id] {
            bytes.add(id.as_ref().map_or(&[][..], |id| id.as_bytes()));
        }
        for text in [
            &content.action,
            &content.actor,
            &content.network,
            &content.detail,
        ] {
            bytes.add(text.as_bytes());
        }
        bytes.add(&content.created_at.timestamp_micros().to_be_bytes());
        Place {
            seq,
            hash: self.hash(&bytes),
        }
    }

    /// The seal of a head: where the chain ends, and up to where retention has cut it off.
    pub(super) fn seal(&self, last: &Place, pruned: &Place) -> Hash {
        let mut bytes = Bytes::new(b"axiam audit head 1");
        bytes.add(self.site_id.as_bytes());
        for place in [last, pruned] {
            bytes.add(&place.seq.to_be_bytes());
            bytes.add(&place.hash.0);
        }
        self.hash(&bytes)
    }

    fn hash(&self, bytes: &Bytes) -> Hash {
        Hash(self.key.derive(&bytes.0).to_vec())
    }
}

/// Fields one after another, each behind its length (four bytes, the highest first), so that no two
/// lists of fields are the same bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(what: &[u8]) -> Self {
        let mut bytes = Self(Vec::with_capacity(256));
        bytes.add(what);
        bytes
    }

    fn add(&mut self, field: &[u8]) {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
    }
}
