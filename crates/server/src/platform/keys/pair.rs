//! The ES256 pairs that sign: their public halves are published, those of before too, so that others can check.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use p256::{
    SecretKey,
    elliptic_curve::{Generate as _, sec1::ToSec1Point},
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use sea_orm::entity::prelude::Uuid;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::error::KeyError;

/// A pair that signs and checks.
pub struct SigningPair {
    /// As tokens made with it are known by.
    pub id: Uuid,
    /// Names the key in tokens and in the published set.
    pub kid: String,
    /// The private part, which signs.
    pub signing: EncodingKey,
    /// The public part, which checks.
    pub checking: DecodingKey,
    /// The public half (RFC 7517).
    pub jwk: Value,
}

impl SigningPair {
    /// Reads a pair as it is kept (PKCS #8).
    pub(super) fn read(id: Uuid, der: &[u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::Damaged(id.to_string());
        let secret = SecretKey::from_pkcs8_der(der).map_err(|_| damaged())?;
        let point = secret.public_key().to_sec1_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            return Err(damaged());
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let kid = id.simple().to_string();
        Ok(Self {
            id,
            signing: EncodingKey::from_ec_der(der),
            checking: DecodingKey::from_ec_components(&x, &y).map_err(|_| damaged())?,
            jwk: json!({
                "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
                "kid": kid, "x": x, "y": y,
            }),
            kid,
        })
    }
}

/// A new pair, as it is kept.
pub(super) fn draw(name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let der = SecretKey::generate()
        .to_pkcs8_der()
        .map_err(|_| KeyError::Damaged(name.to_owned()))?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}
