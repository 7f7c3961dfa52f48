//! Both ceremonies, with whatever may be changed in them changed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{SigningKey, signature::Signer};

use super::*;

const CHALLENGED: [u8; CHALLENGE] = [9; CHALLENGE];

fn party() -> RelyingParty {
    RelyingParty::of("https://signin.example/").unwrap()
}

fn signer() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn client(kind: &str, challenge: &[u8], origin: &str, more: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    format!("{{\"type\":\"{kind}\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\"{more}}}")
        .into_bytes()
}

fn authenticator(domain: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
    [
        Sha256::digest(domain).as_slice(),
        &[flags],
        &3u32.to_be_bytes(),
        rest,
    ]
    .concat()
}

fn credential(key: &[u8]) -> Vec<u8> {
    [[0; 16].as_slice(), &4u16.to_be_bytes(), b"abcd", key].concat()
}

fn cose() -> Vec<u8> {
    let point = signer().verifying_key().to_sec1_point(false);
    let bytes = point.as_bytes();
    [&KEY_HEAD, &bytes[1..33], &KEY_MIDDLE, &bytes[33..]].concat()
}

const CREATE: u8 = flag::PRESENT | flag::VERIFIED | flag::HAS_CREDENTIAL;
const GET: u8 = flag::PRESENT | flag::VERIFIED;

#[test]
fn a_key_is_made_for_this_page_alone() {
    let good = client(
        "webauthn.create",
        &CHALLENGED,
        "https://signin.example",
        ",\"crossOrigin\":false,\"other\":1",
    );
    let data = authenticator("signin.example", CREATE, &credential(&cose()));
    let made = party().made(&CHALLENGED, &good, &data).unwrap();
    assert_eq!(
        (made.id.as_slice(), made.counter, made.key.len()),
        (b"abcd".as_slice(), 3, 65)
    );
    for client in [
        client("webauthn.get", &CHALLENGED, "https://signin.example", ""),
        client("webauthn.create", &[8; 32], "https://signin.example", ""),
        client(
            "webauthn.create",
            &CHALLENGED[..31],
            "https://signin.example",
            "",
        ),
        client(
            "webauthn.create",
            &CHALLENGED,
            "https://signin.example.evil.example",
            "",
        ),
        client("webauthn.create", &CHALLENGED, "http://signin.example", ""),
        client(
            "webauthn.create",
            &CHALLENGED,
            "https://signin.example:8443",
            "",
        ),
        client(
            "webauthn.create",
            &CHALLENGED,
            "https://signin.example",
            ",\"crossOrigin\":true",
        ),
        client(
            "webauthn.create",
            &CHALLENGED,
            "https://signin.example",
            ",\"topOrigin\":\"https://evil.example\"",
        ),
        b"{}".to_vec(),
        vec![b' '; 5000],
    ] {
        let refused = party().made(&CHALLENGED, &client, &data);
        assert!(refused.is_err(), "{}", String::from_utf8_lossy(&client));
    }
    assert!(party().made(&[], &good, &data).is_err());
}

#[test]
fn a_key_is_taken_whole_and_as_it_is_or_not_at_all() {
    let good = client("webauthn.create", &CHALLENGED, "https://signin.example", "");
    let data = authenticator("signin.example", CREATE, &credential(&cose()));
    let with = |flags, rest: &[u8]| {
        party().made(
            &CHALLENGED,
            &good,
            &authenticator("signin.example", flags, rest),
        )
    };
    assert!(
        with(
            CREATE | flag::MAY_BE_BACKED_UP | flag::IS_BACKED_UP,
            &credential(&cose())
        )
        .is_ok()
    );
    assert!(
        with(
            CREATE | flag::HAS_EXTENSIONS,
            &[credential(&cose()), vec![0xa0]].concat()
        )
        .is_ok()
    );
    for flags in [
        CREATE & !flag::VERIFIED,
        CREATE & !flag::PRESENT,
        CREATE & !flag::HAS_CREDENTIAL,
        CREATE | flag::IS_BACKED_UP,
        CREATE | flag::HAS_EXTENSIONS,
    ] {
        assert!(with(flags, &credential(&cose())).is_err(), "{flags:#x}");
    }
    let other = authenticator("evil.example", CREATE, &credential(&cose()));
    assert!(party().made(&CHALLENGED, &good, &other).is_err());
    // However it is cut, changed or made longer.
    for cut in 0..data.len() {
        assert!(
            party().made(&CHALLENGED, &good, &data[..cut]).is_err(),
            "{cut}"
        );
    }
    assert!(with(CREATE, &[credential(&cose()), vec![0]].concat()).is_err());
    let key = cose();
    for at in 0..key.len() {
        let mut changed = key.clone();
        changed[at] ^= 1;
        assert!(with(CREATE, &credential(&changed)).is_err(), "{at}");
    }
    assert!(with(CREATE, &[[0; 16].as_slice(), &[0, 0], &key].concat()).is_err());
}

#[test]
fn a_signature_is_over_all_that_was_said() {
    let good = client("webauthn.get", &CHALLENGED, "https://signin.example", "");
    let data = authenticator("signin.example", GET, &[]);
    let key = signer().verifying_key().to_sec1_point(false);
    let sign = |client: &[u8], data: &[u8]| {
        let signature: Signature = signer().sign(&[data, &Sha256::digest(client)].concat());
        signature.to_der().as_bytes().to_vec()
    };
    let show = |client: &[u8], data: &[u8], signature: &[u8]| {
        let assertion = Assertion {
            client_data: client,
            authenticator_data: data,
            signature,
        };
        party().shown(&CHALLENGED, &assertion, key.as_bytes())
    };
    let signature = sign(&good, &data);
    assert_eq!(show(&good, &data, &signature), Ok(3));
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        assert!(show(&good, &data, &changed).is_err(), "{at}");
    }
    let mut counted = data.clone();
    counted[36] += 1;
    assert!(show(&good, &counted, &signature).is_err());
    // Signed, and still not ours.
    for (client, data) in [
        (
            client("webauthn.create", &CHALLENGED, "https://signin.example", ""),
            data.clone(),
        ),
        (
            client("webauthn.get", &[8; 32], "https://signin.example", ""),
            data.clone(),
        ),
        (
            client("webauthn.get", &CHALLENGED, "https://evil.example", ""),
            data.clone(),
        ),
        (good.clone(), authenticator("evil.example", GET, &[])),
        (
            good.clone(),
            authenticator("signin.example", flag::PRESENT, &[]),
        ),
        (good.clone(), authenticator("signin.example", GET, &[0])),
        (
            good.clone(),
            authenticator("signin.example", CREATE, &credential(&cose())),
        ),
    ] {
        assert!(show(&client, &data, &sign(&client, &data)).is_err());
    }
}

#[test]
fn passkeys_are_made_where_browsers_make_them() {
    let id = |url: &str| RelyingParty::of(url).map(|party| party.id().to_owned());
    assert_eq!(id("https://signin.example"), Some("signin.example".into()));
    assert_eq!(id("http://localhost:3000"), Some("localhost".into()));
    for url in [
        "http://127.0.0.1:3000",
        "https://192.168.0.7",
        "http://signin.example",
        "https://[::1]",
    ] {
        assert_eq!(id(url), None, "{url}");
    }
    assert_eq!(
        RelyingParty::of("http://localhost:3000").unwrap().origin,
        "http://localhost:3000"
    );
}

#[test]
fn a_counter_that_does_not_grow_is_a_copy() {
    assert!(has_grown(0, 0) && has_grown(0, 1) && has_grown(3, 4));
    assert!(!has_grown(3, 3) && !has_grown(3, 2) && !has_grown(3, 0));
}
