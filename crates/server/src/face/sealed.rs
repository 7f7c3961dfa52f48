//! References as they are stored: under the client's own transform, then sealed.
//!
//! Two layers with two keys: the client's own, which is erased with the face (see `client_key`), and that of
//! the transform. Whoever has the client's key still lacks the secret of the site's transform, and what they hold cannot be linked with another site's templates; see
//! `face::Protection` for what that is worth. A leaked reference is revoked by a new transform.

use ::face::{ProtectedTemplate, Protection, TemplateError};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::model::FaceError;
use crate::platform::{
    clock::Moment,
    keys::{Key, KeyError, Keyring, Purpose},
};

/// Whose face it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) site_id: Uuid,
    pub(super) client_id: Uuid,
}

/// The transform of one client's references: the site's secret and the client's salt. Drawn anew
/// whenever the client enrols, and when it is re-issued.
#[derive(Clone)]
pub(super) struct Transform {
    pub(super) key: Key,
    pub(super) salt: Uuid,
}

impl Transform {
    /// A new one under the secret of the site that is in force.
    pub(super) async fn draw(
        db: &DatabaseConnection,
        keys: &Keyring,
        site_id: Uuid,
        now: Moment,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            key: keys.current(db, Purpose::Transform(site_id), now).await?,
            salt: Uuid::new_v4(),
        })
    }

    /// One that rows name.
    pub(super) async fn find(
        db: &impl ConnectionTrait,
        keys: &Keyring,
        owner: Owner,
        key_id: Uuid,
        salt: Uuid,
    ) -> Result<Self, KeyError> {
        let purpose = Purpose::Transform(owner.site_id);
        Ok(Self {
            key: keys.find(db, purpose, key_id).await?,
            salt,
        })
    }

    /// The map for templates of this size.
    pub(super) fn of(&self, owner: Owner, dims: usize) -> Result<Protection, TemplateError> {
        let about = [
            b"axiam client transform".as_slice(),
            owner.client_id.as_bytes(),
            self.salt.as_bytes(),
        ];
        Protection::from_secret(&self.key.derive(&about.concat()), dims)
    }
}

/// Where a sealed reference belongs. All of it is sealed with it, so it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub(super) owner: Owner,
    /// The data key that seals it, in rows of before clients had keys of their own.
    pub(super) key_id: Option<Uuid>,
    pub(super) reference_id: Uuid,
    pub(super) transform_id: Uuid,
    pub(super) salt: Uuid,
}

impl Binding {
    fn bound(&self) -> Vec<u8> {
        [
            self.owner.site_id,
            self.owner.client_id,
            self.key_id.unwrap_or(self.owner.client_id),
            self.reference_id,
            self.transform_id,
            self.salt,
        ]
        .iter()
        .flat_map(|id| *id.as_bytes())
        .collect()
    }
}

/// Seals a reference under the client's own key, or the data key that `binding` names.
pub(super) fn seal(
    key: &Key,
    binding: &Binding,
    template: &ProtectedTemplate,
) -> Result<Vec<u8>, FaceError> {
    key.sealing()?
        .seal(&binding.bound(), &template.to_bytes())
        .map_err(|error| FaceError::Sealed(error.to_string()))
}

/// Opens what [`seal`] made.
pub(super) fn open(
    key: &Key,
    binding: &Binding,
    sealed: &[u8],
) -> Result<ProtectedTemplate, FaceError> {
    let plain = key
        .sealing()?
        .open(&binding.bound(), sealed)
        .map_err(|error| FaceError::Sealed(error.to_string()))?;
    ProtectedTemplate::from_bytes(&plain).map_err(|error| FaceError::Sealed(error.to_string()))
}

/// Opens what versions before the transform stored: a plain template, bound to its site, client and key.
pub(super) fn open_plain(
    key: &Key,
    owner: Owner,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, FaceError> {
    let bound: Vec<u8> = [owner.site_id, owner.client_id, key.id]
        .iter()
        .flat_map(|id| *id.as_bytes())
        .collect();
    key.sealing()?
        .open(&bound, sealed)
        .map_err(|error| FaceError::Sealed(error.to_string()))
}
