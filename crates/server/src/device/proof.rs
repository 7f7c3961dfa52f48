//! The device proof: what a phone signs for each request (RFC 9449, and `digest` for the body).
//! Pure: whether a proof was seen before is asked elsewhere.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use sea_orm::DbErr;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

use crate::platform::{clock::Moment, secret};

/// How far a proof's `iat` may be from the present, seconds.
const FRESH: f64 = 60.0;

/// Longest proof, bytes; real ones stay under a thousand.
const LONGEST: usize = 4096;

/// Why a proof is not accepted. All of them travel as 1050.
#[derive(Debug, Error)]
pub enum ProofError {
    /// No `DPoP` header, or more than one.
    #[error("give exactly one DPoP header")]
    Missing,
    /// What was sent is no proof: not a JWT, or without a claim that it must have.
    #[error("the proof is malformed: {0}")]
    Malformed(&'static str),
    /// The signature is not the key's.
    #[error("the proof's signature is wrong")]
    Signature,
    /// It was made for another request.
    #[error("the proof is for another request: {0}")]
    Other(&'static str),
    /// It was made for the same path at another address, which is told.
    #[error("the proof is for another request: htu is at {0}")]
    Elsewhere(String),
    /// Too old, or from the future.
    #[error("the proof's iat is more than 60 s away from the server's time")]
    Stale,
    /// Its `jti` was taken before, so this is a replay.
    #[error("the proof was used before")]
    Replayed,
    /// No device token came along, so nothing is known of the phone.
    #[error("give the device token in one Authorization header: DPoP <token>")]
    NoToken,
    /// The device token is unknown, expired or revoked, or belongs to another key: no such phone is paired. The
    /// answer says so to programs, for all others may pass.
    #[error("the device token is unknown, expired, revoked, or bound to another key")]
    Unpaired,
    /// The phone's site is switched off, and may be switched on again.
    #[error("the phone's site is switched off")]
    SiteOff,
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// What a proof is checked against.
pub struct Call<'c> {
    /// The method of the request in capitals, as `htm` must say it.
    pub method: &'c str,
    /// Origins under which this server may be called, for example `https://signin.example.com`.
    pub origins: &'c [String],
    /// The path of the request, as `htu` must end.
    pub path: &'c str,
    /// The device token, where the route has one.
    pub token: Option<&'c str>,
}

/// A proof whose signature and claims are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint of the key (RFC 7638, SHA-256, base64url).
    pub thumbprint: String,
    /// SHA-256 over thumbprint and `jti`: remembered so that it is accepted once.
    pub id: Vec<u8>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    // A NumericDate may have a fraction (RFC 7519, section 2), and some phones send one.
    iat: f64,
    jti: String,
    ath: Option<String>,
    digest: Option<String>,
}

impl Proof {
    /// Checks a proof against the head of the call that it came with; whether it covers the body is
    /// asked of [`covers`](Self::covers), so that no body is read for a stranger.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn check(proof: &str, call: &Call<'_>, now: Moment) -> Result<Self, ProofError> {
        if proof.len() > LONGEST {
            return Err(ProofError::Malformed("too long"));
        }
        let jwk = embedded_key(proof)?;
        let claims = verified_claims(proof, &jwk)?;
        if claims.htm != call.method {
            return Err(ProofError::Other("htm"));
        }
        check_address(&claims.htu, call)?;
        // Seconds since 1970 fit a double exactly.
        #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
        let age = now.timestamp() as f64 - claims.iat;
        if !(-FRESH..FRESH + 1.0).contains(&age) {
            return Err(ProofError::Stale);
        }
        if claims.jti.is_empty() || claims.jti.len() > 256 {
            return Err(ProofError::Malformed("jti must have 1 to 256 characters"));
        }
        let ath = call
            .token
            .map(|token| sha256(token.as_bytes(), &URL_SAFE_NO_PAD));
        if claims.ath != ath {
            return Err(ProofError::Other("ath"));
        }
        let thumbprint = jwk
            .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
            .map_err(|_| ProofError::Malformed("jwk"))?;
        let id = Sha256::digest(format!("{thumbprint} {}", claims.jti)).to_vec();
        Ok(Self {
            thumbprint,
            id,
            digest: claims.digest,
        })
    }

    /// Checks that the proof covers the body, by way of `Content-Digest` as sent (RFC 9530).
    ///
    /// # Errors
    /// [`ProofError::Other`] when it does not.
    pub fn covers(&self, content_digest: Option<&str>, body: &[u8]) -> Result<(), ProofError> {
        if body.is_empty() && self.digest.is_none() {
            return Ok(());
        }
        let digest = self
            .digest
            .as_deref()
            .ok_or(ProofError::Other("digest is missing"))?;
        if Some(digest) != content_digest {
            return Err(ProofError::Other("digest is not the Content-Digest header"));
        }
        let real = format!("sha-256=:{}:", sha256(body, &STANDARD));
        if !secret::same(digest.as_bytes(), real.as_bytes()) {
            return Err(ProofError::Other("digest is not the body's"));
        }
        Ok(())
    }
}

/// What the library does not look at: a private key that was sent along (RFC 9449, section 4.3),
/// and extensions that must be understood (RFC 7515, section 4.1.11).
#[derive(Deserialize)]
struct Refused {
    crit: Option<serde_json::Value>,
    jwk: Option<Private>,
}

#[derive(Deserialize)]
struct Private {
    d: Option<serde_json::Value>,
}

fn refuse_oddities(proof: &str) -> Result<(), ProofError> {
    let malformed = || ProofError::Malformed("header");
    let header = proof.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
    let header: Refused = serde_json::from_slice(&header).map_err(|_| malformed())?;
    if header.crit.is_some() {
        return Err(ProofError::Malformed("crit is not understood"));
    }
    if header.jwk.is_some_and(|jwk| jwk.d.is_some()) {
        return Err(ProofError::Malformed("jwk holds a private key"));
    }
    Ok(())
}

fn embedded_key(proof: &str) -> Result<Jwk, ProofError> {
    refuse_oddities(proof)?;
    let header = jsonwebtoken::decode_header(proof).map_err(|_| ProofError::Malformed("header"))?;
    if header.typ.as_deref() != Some("dpop+jwt") {
        return Err(ProofError::Malformed("typ must be dpop+jwt"));
    }
    if header.alg != Algorithm::ES256 {
        return Err(ProofError::Malformed("alg must be ES256"));
    }
    let jwk = header.jwk.ok_or(ProofError::Malformed("jwk is missing"))?;
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Ok(jwk),
        _ => Err(ProofError::Malformed("jwk must be a P-256 key")),
    }
}

fn verified_claims(proof: &str, jwk: &Jwk) -> Result<Claims, ProofError> {
    let key = DecodingKey::from_jwk(jwk).map_err(|_| ProofError::Malformed("jwk"))?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.set_required_spec_claims::<&str>(&[]);
    jsonwebtoken::decode::<Claims>(proof, &key, &rules)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) => ProofError::Malformed("claims"),
            _ => ProofError::Signature,
        })
}

fn check_address(htu: &str, call: &Call<'_>) -> Result<(), ProofError> {
    let htu = Url::parse(htu).ok().filter(|htu| htu.origin().is_tuple());
    let htu = htu.ok_or(ProofError::Other("htu"))?;
    let here = |origin: &String| Url::parse(&format!("{origin}{}", call.path)).ok();
    let same_path: Vec<Url> = call
        .origins
        .iter()
        .filter_map(here)
        .filter(|here| here.path() == htu.path())
        .collect();
    if same_path.iter().any(|here| here.origin() == htu.origin()) {
        Ok(())
    } else if same_path.is_empty() {
        Err(ProofError::Other("htu"))
    } else {
        Err(ProofError::Elsewhere(htu.origin().ascii_serialization()))
    }
}

fn sha256(bytes: &[u8], alphabet: &impl base64::Engine) -> String {
    alphabet.encode(Sha256::digest(bytes))
}
