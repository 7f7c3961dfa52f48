//! The receipt of an erasure: a JSON Web Signature that anyone can check with the published keys.

use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::platform::{clock::Moment, keys::SigningPair};

/// Says in the header that this is a receipt, so that it passes for nothing else.
const KIND: &str = "erasure-receipt+jwt";

/// The audience: no route takes it for a bearer's token.
const AUDIENCE: &str = "axiam:erasure";

/// Who asked for the erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The backend of the site asked for it.
    Site,
    /// The person, with a paired phone.
    Client,
}

impl By {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "by the site",
            Self::Client => "by the client",
        }
    }
}

/// What is gone, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// References of the face, and with them the client's key.
    pub face_references: u64,
    /// How many paired phones were forgotten.
    pub devices: u64,
    /// Attempts to sign on.
    pub sign_ons: u64,
}

/// What the signature covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The address of the installation.
    pub iss: String,
    /// The client that was erased.
    pub sub: Uuid,
    /// Always `axiam:erasure`, so that it passes for no other token.
    pub aud: String,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// The receipt's own id, by which an auditor finds it.
    pub jti: Uuid,
    /// The site that knew the client.
    pub site_id: Uuid,
    /// Who asked for it.
    pub by: By,
    /// What is gone, counted by kind.
    pub erased: Erased,
}

impl Receipt {
    pub(super) fn new(
        issuer: String,
        client: (Uuid, Uuid),
        by: By,
        erased: Erased,
        now: Moment,
    ) -> Self {
        let (site_id, client_id) = client;
        Self {
            iss: issuer,
            sub: client_id,
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            jti: Uuid::new_v4(),
            site_id,
            by,
            erased,
        }
    }

    /// The receipt in three parts, as it is handed out.
    pub(super) fn sign(&self, key: &SigningPair) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(KIND.to_owned());
        header.kid = Some(key.kid.clone());
        jsonwebtoken::encode(&header, self, &key.signing)
    }
}
