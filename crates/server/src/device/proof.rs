//! The device proof: what a phone signs for each request (RFC 9449, and `digest` for the body).
//! Pure: whether a proof was seen before is asked elsewhere.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use sea_orm::DbErr;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

use crate::{clock::Moment, secret};

/// How far a proof's `iat` may be from the present, seconds.
pub(super) const FRESH: i64 = 60;

/// Longest proof, bytes; real ones stay under a thousand.
const LONGEST: usize = 4096;

/// Why a proof is not accepted. All of them travel as 1050.
#[derive(Debug, Error)]
pub enum ProofError {
    /// No `DPoP` header, or more than one.
    #[error("give exactly one DPoP header")]
    Missing,
    /// Not a proof.
    #[error("the proof is malformed: {0}")]
    Malformed(&'static str),
    /// The signature is not the key's.
    #[error("the proof's signature is wrong")]
    Signature,
    /// It was made for another request.
    #[error("the proof is for another request: {0}")]
    Other(&'static str),
    /// Too old, or from the future.
    #[error("the proof's iat is more than 60 s away from the server's time")]
    Stale,
    /// Seen before.
    #[error("the proof was used before")]
    Replayed,
    /// The device token is missing, unknown, expired or revoked, or belongs to another key.
    #[error("the device token is missing, unknown, expired, revoked, or bound to another key")]
    Token,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// What a proof is checked against.
pub struct Call<'c> {
    /// The request's method.
    pub method: &'c str,
    /// Origins under which this server may be called, for example `https://signin.example.com`.
    pub origins: &'c [String],
    /// The request's path.
    pub path: &'c str,
    /// The device token, where the route has one.
    pub token: Option<&'c str>,
    /// `Content-Digest` as sent (RFC 9530).
    pub content_digest: Option<&'c str>,
    /// The body; empty where there is none.
    pub body: &'c [u8],
}

/// A proof whose signature and claims are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint of the key (RFC 7638, SHA-256, base64url).
    pub thumbprint: String,
    /// SHA-256 over thumbprint and `jti`: remembered so that it is accepted once.
    pub id: Vec<u8>,
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
    ath: Option<String>,
    digest: Option<String>,
}

impl Proof {
    /// Checks a proof against the call that it came with.
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
        if !same_address(&claims.htu, call) {
            return Err(ProofError::Other("htu"));
        }
        if claims.iat.abs_diff(now.timestamp()) > FRESH.unsigned_abs() {
            return Err(ProofError::Stale);
        }
        if claims.jti.len() < 8 || claims.jti.len() > 256 {
            return Err(ProofError::Malformed("jti must have 8 to 256 characters"));
        }
        let ath = call
            .token
            .map(|token| sha256(token.as_bytes(), &URL_SAFE_NO_PAD));
        if claims.ath != ath {
            return Err(ProofError::Other("ath"));
        }
        check_digest(&claims, call)?;
        let thumbprint = jwk
            .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
            .map_err(|_| ProofError::Malformed("jwk"))?;
        let id = Sha256::digest(format!("{thumbprint} {}", claims.jti)).to_vec();
        Ok(Self { thumbprint, id })
    }
}

fn embedded_key(proof: &str) -> Result<Jwk, ProofError> {
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

fn same_address(htu: &str, call: &Call<'_>) -> bool {
    let Ok(htu) = Url::parse(htu) else {
        return false;
    };
    call.origins.iter().any(|origin| {
        Url::parse(&format!("{origin}{}", call.path)).is_ok_and(|here| {
            here.origin() == htu.origin() && here.origin().is_tuple() && here.path() == htu.path()
        })
    })
}

fn check_digest(claims: &Claims, call: &Call<'_>) -> Result<(), ProofError> {
    if call.body.is_empty() && claims.digest.is_none() {
        return Ok(());
    }
    let digest = claims
        .digest
        .as_deref()
        .ok_or(ProofError::Other("digest is missing"))?;
    if Some(digest) != call.content_digest {
        return Err(ProofError::Other("digest is not the Content-Digest header"));
    }
    let real = format!("sha-256=:{}:", sha256(call.body, &STANDARD));
    if !secret::same(digest.as_bytes(), real.as_bytes()) {
        return Err(ProofError::Other("digest is not the body's"));
    }
    Ok(())
}

fn sha256(bytes: &[u8], alphabet: &impl base64::Engine) -> String {
    alphabet.encode(Sha256::digest(bytes))
}
