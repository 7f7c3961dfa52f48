//! WebAuthn's two ceremonies (Level 3, sections 7.1 and 7.2), as strict as they can be where one server makes the
//! keys and takes them: ES256, no attestation, the person verified, pages of this very origin. What authenticators
//! write in CBOR is of one form then (CTAP2's canonical one), and is compared byte for byte instead of being read.

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::{Host, Url};

use crate::platform::secret;

/// Bytes of a challenge.
pub(super) const CHALLENGE: usize = 32;

/// Most bytes of a credential's id (section 7.1, step 25).
const LONGEST_ID: usize = 1023;

/// Most bytes of anything that a page brings.
const LONGEST: usize = 4096;

/// A COSE key of kind EC2, algorithm ES256, curve P-256, in CTAP2's canonical form: what stands before the two
/// coordinates, and between them (RFC 9053, sections 2.1 and 7.1.1).
const KEY_HEAD: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const KEY_MIDDLE: [u8; 3] = [0x22, 0x58, 0x20];

/// Bytes of a coordinate.
const COORDINATE: usize = 32;

/// What an authenticator says of itself and the person (section 6.1).
mod flag {
    pub(super) const PRESENT: u8 = 0x01;
    pub(super) const VERIFIED: u8 = 0x04;
    pub(super) const MAY_BE_BACKED_UP: u8 = 0x08;
    pub(super) const IS_BACKED_UP: u8 = 0x10;
    pub(super) const HAS_CREDENTIAL: u8 = 0x40;
    pub(super) const HAS_EXTENSIONS: u8 = 0x80;
}

/// Why a ceremony came to nothing. For the log; people are told that it did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the passkey proves nothing: {0}")]
pub struct Unproven(&'static str);

/// Who asks for passkeys: this installation, by its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

/// A key that an authenticator has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// Its id, which the authenticator finds it by.
    pub(super) id: Vec<u8>,
    /// The public half, uncompressed (SEC 1).
    pub(super) key: Vec<u8>,
    /// How often it has signed, if it counts.
    pub(super) counter: u32,
}

/// What a page brings from an authenticator that was asked to sign.
pub(super) struct Assertion<'a> {
    pub(super) client_data: &'a [u8],
    pub(super) authenticator_data: &'a [u8],
    pub(super) signature: &'a [u8],
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    is_cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

impl RelyingParty {
    /// This installation; `None` where browsers make no passkeys for its address: a bare IP address, or plain http
    /// elsewhere than on this machine.
    #[must_use]
    pub fn of(public_url: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let Some(Host::Domain(domain)) = url.host() else {
            return None;
        };
        let is_secure = url.scheme() == "https" || domain == "localhost";
        is_secure.then(|| Self {
            id: domain.to_owned(),
            origin: url.origin().ascii_serialization(),
        })
    }

    /// Its domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key that an authenticator made when it was asked to.
    pub(super) fn made(
        &self,
        challenge: &[u8],
        client_data: &[u8],
        authenticator_data: &[u8],
    ) -> Result<Made, Unproven> {
        self.check_client("webauthn.create", challenge, client_data)?;
        let (flags, counter, rest) = self.check_authenticator(authenticator_data)?;
        if flags & flag::HAS_CREDENTIAL == 0 {
            return Err(Unproven("there is no key"));
        }
        // Sixteen bytes name the make of the authenticator, which without attestation is hearsay.
        let rest = rest.get(16..).ok_or(Unproven("the key is cut off"))?;
        let (length, rest) = rest
            .split_first_chunk::<2>()
            .ok_or(Unproven("the key is cut off"))?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > LONGEST_ID || rest.len() < length {
            return Err(Unproven("the key's id has no such length"));
        }
        let (id, rest) = rest.split_at(length);
        let (key, rest) = read_key(rest)?;
        check_rest(flags, rest)?;
        Ok(Made {
            id: id.to_vec(),
            key,
            counter,
        })
    }

    /// Checks a signature; how often the key has signed by now, if it counts.
    pub(super) fn shown(
        &self,
        challenge: &[u8],
        assertion: &Assertion<'_>,
        key: &[u8],
    ) -> Result<u32, Unproven> {
        self.check_client("webauthn.get", challenge, assertion.client_data)?;
        let (flags, counter, rest) = self.check_authenticator(assertion.authenticator_data)?;
        if flags & flag::HAS_CREDENTIAL != 0 {
            return Err(Unproven("there is a key where none is made"));
        }
        check_rest(flags, rest)?;
        let wrong = |_| Unproven("the signature is none");
        let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| Unproven("the key is none"))?;
        let signature = Signature::from_der(assertion.signature).map_err(wrong)?;
        let signed = [
            assertion.authenticator_data,
            &Sha256::digest(assertion.client_data),
        ]
        .concat();
        key.verify(&signed, &signature).map_err(wrong)?;
        Ok(counter)
    }

    fn check_client(
        &self,
        kind: &str,
        challenge: &[u8],
        client_data: &[u8],
    ) -> Result<(), Unproven> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        if client_data.len() > LONGEST {
            return Err(Unproven("the client data is too long"));
        }
        let read = serde_json::from_slice::<ClientData>(client_data);
        let data = read.map_err(|_| Unproven("the client data cannot be read"))?;
        let given = URL_SAFE_NO_PAD.decode(&data.challenge);
        let given = given.map_err(|_| Unproven("the challenge cannot be read"))?;
        if data.kind != kind {
            return Err(Unproven("it is of another ceremony"));
        }
        if challenge.len() != CHALLENGE || !secret::same(&given, challenge) {
            return Err(Unproven("it answers another challenge"));
        }
        if data.origin != self.origin || data.is_cross_origin || data.top_origin.is_some() {
            return Err(Unproven("it is of another page"));
        }
        Ok(())
    }

    /// Flags, counter and what follows.
    fn check_authenticator<'a>(&self, data: &'a [u8]) -> Result<(u8, u32, &'a [u8]), Unproven> {
        if data.len() > LONGEST {
            return Err(Unproven("the authenticator data is too long"));
        }
        let cut = Unproven("the authenticator data is cut off");
        let (domain, rest) = data.split_first_chunk::<32>().ok_or(cut)?;
        let ([flags], rest) = rest.split_first_chunk::<1>().ok_or(cut)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
        if !secret::same(domain, &Sha256::digest(&self.id)) {
            return Err(Unproven("it is of another domain"));
        }
        if flags & flag::PRESENT == 0 || flags & flag::VERIFIED == 0 {
            return Err(Unproven("nobody was verified"));
        }
        if flags & flag::MAY_BE_BACKED_UP == 0 && flags & flag::IS_BACKED_UP != 0 {
            return Err(Unproven("it is backed up and cannot be"));
        }
        Ok((*flags, u32::from_be_bytes(*counter), rest))
    }
}

/// Nothing follows but extensions, none of which was asked for and none of which is read.
fn check_rest(flags: u8, rest: &[u8]) -> Result<(), Unproven> {
    if rest.is_empty() == (flags & flag::HAS_EXTENSIONS == 0) {
        Ok(())
    } else {
        Err(Unproven("something follows that should not"))
    }
}

/// The key, uncompressed, and what follows.
fn read_key(data: &[u8]) -> Result<(Vec<u8>, &[u8]), Unproven> {
    let other = Unproven("the key is of another kind");
    let rest = data.strip_prefix(&KEY_HEAD).ok_or(other)?;
    let (x, rest) = rest.split_first_chunk::<COORDINATE>().ok_or(other)?;
    let rest = rest.strip_prefix(&KEY_MIDDLE).ok_or(other)?;
    let (y, rest) = rest.split_first_chunk::<COORDINATE>().ok_or(other)?;
    let key = [&[4], x.as_slice(), y.as_slice()].concat();
    // A point that is none on the curve is no key.
    VerifyingKey::from_sec1_bytes(&key).map_err(|_| other)?;
    Ok((key, rest))
}

/// Whether a counter shows no copy of the key: it has grown, or the authenticator does not count (section 7.2, step 22).
pub(super) fn has_grown(kept: u32, shown: u32) -> bool {
    shown > kept || (shown == 0 && kept == 0)
}

#[cfg(test)]
mod tests;
