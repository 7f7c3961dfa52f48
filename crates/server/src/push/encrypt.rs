//! Encryption of messages to browsers (RFC 8291 over RFC 8188), so that push services cannot read them.

use aes_gcm::{
    Aes128Gcm, KeyInit,
    aead::{Aead, Nonce},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    ecdh::diffie_hellman,
    elliptic_curve::{Generate as _, sec1::ToSec1Point},
};
use rand::RngExt as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::device::Subscription;

/// The size of a record, which a message is one of: what every push service takes (RFC 8030, 7.2).
const RECORD: u32 = 4096;

/// To whom a message is encrypted.
pub(super) struct Recipient {
    key: PublicKey,
    auth: Vec<u8>,
}

impl Recipient {
    /// Reads a subscription's keys; `None` where they are none.
    pub(super) fn of(subscription: &Subscription) -> Option<Self> {
        let read = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let key = PublicKey::from_sec1_bytes(&read(&subscription.keys.p256dh)?).ok()?;
        let auth = read(&subscription.keys.auth)?;
        (auth.len() == 16).then_some(Self { key, auth })
    }

    /// The message as it is posted, with `Content-Encoding: aes128gcm`.
    pub(super) fn encrypt(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.encrypt_with(message, &SecretKey::generate(), rand::rng().random())
    }

    fn encrypt_with(&self, message: &[u8], ours: &SecretKey, salt: [u8; 16]) -> Option<Vec<u8>> {
        let our_public = ours.public_key().to_sec1_point(false);
        let their_public = self.key.to_sec1_point(false);
        let shared = diffie_hellman(ours.to_nonzero_scalar(), self.key.as_affine());
        let about = [
            b"WebPush: info\0".as_slice(),
            their_public.as_bytes(),
            our_public.as_bytes(),
        ]
        .concat();
        let mut secret = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(&self.auth), shared.raw_secret_bytes())
            .expand(&about, secret.as_mut_slice())
            .ok()?;
        let keys = Hkdf::<Sha256>::new(Some(&salt), secret.as_slice());
        let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; 12]);
        keys.expand(b"Content-Encoding: aes128gcm\0", key.as_mut_slice())
            .ok()?;
        keys.expand(b"Content-Encoding: nonce\0", &mut nonce).ok()?;
        // The delimiter of the last record, and no padding.
        let plain = Zeroizing::new([message, &[2]].concat());
        let cipher = Aes128Gcm::new_from_slice(key.as_slice()).ok()?;
        let sealed = cipher
            .encrypt(&Nonce::<Aes128Gcm>::from(nonce), plain.as_slice())
            .ok()?;
        let id = our_public.as_bytes();
        let length = u8::try_from(id.len()).ok()?;
        Some(
            [
                salt.as_slice(),
                &RECORD.to_be_bytes(),
                &[length],
                id,
                &sealed,
            ]
            .concat(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SubscriptionKeys;

    fn subscription(p256dh: &str, auth: &str) -> Subscription {
        Subscription {
            endpoint: "https://push.example.net/".into(),
            keys: SubscriptionKeys {
                p256dh: p256dh.into(),
                auth: auth.into(),
            },
        }
    }

    /// RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let read = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let to = Recipient::of(&subscription(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        ))
        .unwrap();
        let ours =
            SecretKey::from_slice(&read("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt: [u8; 16] = read("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let message = to.encrypt_with(b"When I grow up, I want to be a watermelon", &ours, salt);
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(message.unwrap()), expected);
    }

    #[test]
    fn keys_that_are_none_are_known_as_such() {
        let good = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        for (p256dh, auth) in [
            ("BPub", "BTBZMqHH6r4Tts7J_aSIgg"),
            (good, "secret"),
            (good, ""),
            ("", ""),
        ] {
            assert!(
                Recipient::of(&subscription(p256dh, auth)).is_none(),
                "{p256dh} {auth}"
            );
        }
        let padded = "BTBZMqHH6r4Tts7J_aSIgg==";
        assert!(Recipient::of(&subscription(good, padded)).is_some());
    }
}
