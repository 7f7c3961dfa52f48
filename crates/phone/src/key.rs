//! The phone's key and the proofs it signs.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use p256::{
    SecretKey,
    elliptic_curve::{Generate as _, sec1::ToSec1Point},
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::Moment;

/// The key cannot be read, or cannot sign.
#[derive(Debug, Error)]
#[error("the phone's key cannot be used: {0}")]
pub struct KeyError(String);

/// A P-256 key pair that never leaves the phone.
pub struct Key(SecretKey);

/// The request that a proof is for.
pub struct Request<'r> {
    /// Its method in capitals, the proof's `htm`.
    pub method: &'r str,
    /// Its address, without the query.
    pub url: &'r str,
    /// The device token, where the phone has one.
    pub token: Option<&'r str>,
    /// Its body; empty where there is none.
    pub body: &'r [u8],
    /// When it is made.
    pub at: Moment,
}

impl Key {
    /// Draws a new key from the system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self(SecretKey::generate())
    }

    /// Reads a key as [`to_pem`](Self::to_pem) writes it.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        SecretKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|error| KeyError(error.to_string()))
    }

    /// The key in PKCS#8, PEM.
    ///
    /// # Errors
    /// Does not occur for a key that was generated or read.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| KeyError(error.to_string()))
    }

    fn jwk(&self) -> Result<Jwk, KeyError> {
        let point = self.0.public_key().to_sec1_point(false);
        let part = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": part(point.x().map(|x| x.as_slice())),
            "y": part(point.y().map(|y| y.as_slice())),
        });
        serde_json::from_value(jwk).map_err(|error| KeyError(error.to_string()))
    }

    /// Signs a proof for `request` (RFC 9449, with `digest` for a body).
    ///
    /// # Errors
    /// Only when signing itself fails.
    pub fn prove(&self, request: &Request<'_>) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.jwk()?);
        let mut claims = json!({
            "htm": request.method,
            "htu": request.url,
            "iat": request.at.timestamp(),
            "jti": Uuid::new_v4(),
        });
        if let Some(token) = request.token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into();
        }
        if !request.body.is_empty() {
            claims["digest"] = content_digest(request.body).into();
        }
        let der = self
            .0
            .to_pkcs8_der()
            .map_err(|error| KeyError(error.to_string()))?;
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(der.as_bytes()))
            .map_err(|error| KeyError(error.to_string()))
    }
}

/// The `Content-Digest` of a body (RFC 9530).
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}
