//! The secrets that sign messages, and signatures (Standard Webhooks 1.0,
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use rand::RngExt as _;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::model::{Webhook, WebhookError};
use crate::platform::{clock::Moment, keys::Keyring, secret::Secret};

/// A secret that signs, as bytes.
pub(super) struct Signing(Zeroizing<[u8; 32]>);

impl Signing {
    /// A new one.
    pub(super) fn draw() -> Self {
        Self(Zeroizing::new(rand::rng().random()))
    }

    /// As its receiver configures it.
    pub(super) fn shown(&self) -> Secret {
        let text = Zeroizing::new(format!("whsec_{}", STANDARD.encode(self.0.as_slice())));
        Secret::from_text(&text)
    }

    /// As the database keeps it: of no use for another webhook, or without the master key.
    pub(super) fn seal(&self, keys: &Keyring, owner: Owner) -> Result<Vec<u8>, WebhookError> {
        let key = keys.outgoing_key().sealing()?;
        Ok(key.seal(&owner.about(), self.0.as_slice())?)
    }

    fn open(keys: &Keyring, owner: Owner, sealed: &[u8]) -> Result<Self, WebhookError> {
        let plain = keys
            .outgoing_key()
            .sealing()?
            .open(&owner.about(), sealed)?;
        let mut bytes = Zeroizing::new([0; 32]);
        if plain.len() != bytes.len() {
            return Err(crate::platform::keys::Unsealable.into());
        }
        bytes.copy_from_slice(&plain);
        Ok(Self(bytes))
    }

    /// The signature of a message, by its version.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        sign(self.0.as_slice(), id, timestamp, body)
    }
}

fn sign(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    // HMAC takes a key of any length, so this cannot fail.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whose secret it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) site_id: Uuid,
    pub(super) webhook_id: Uuid,
}

impl Owner {
    pub(super) fn of(webhook: &Webhook) -> Self {
        Self {
            site_id: webhook.site_id,
            webhook_id: webhook.id,
        }
    }

    fn about(self) -> Vec<u8> {
        let ids = [self.site_id, self.webhook_id];
        let mut about = b"axiam webhook secret".to_vec();
        about.extend(ids.iter().flat_map(|id| *id.as_bytes()));
        about
    }
}

/// The value of `webhook-signature`: by the secret in force, and by the one before while that is taken.
pub(super) fn signatures(
    keys: &Keyring,
    webhook: &Webhook,
    (id, body): (&str, &str),
    now: Moment,
) -> Result<String, WebhookError> {
    let owner = Owner::of(webhook);
    let before = webhook.previous_secret.as_ref();
    let before = before.filter(|_| webhook.previous_until.is_some_and(|until| until > now));
    let mut signed = Vec::new();
    for sealed in std::iter::once(&webhook.secret).chain(before) {
        signed.push(Signing::open(keys, owner, sealed)?.sign(id, now.timestamp(), body));
    }
    Ok(signed.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = sign(&secret, id, 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
