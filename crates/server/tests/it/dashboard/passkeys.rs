//! Passkeys, made and shown by an authenticator of these tests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use reqwest::StatusCode;
use server::account;
use sha2::{Digest, Sha256};
use testkit::{App, on_each_database};

use super::{
    Visitor, make_account, signed_in,
    visitor::{PASSWORD, Seen},
};
use crate::device_facial::count;

const WAYS: &str = "/dashboard/account/ways";
const ORIGIN: &str = "https://signin.example";

/// An authenticator with one key.
pub(crate) struct Authenticator {
    key: SigningKey,
    id: Vec<u8>,
    counter: u32,
    origin: &'static str,
    /// What it says of itself and the person.
    flags: u8,
}

impl Authenticator {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed; 32]).unwrap(),
            id: vec![seed; 16],
            counter: 0,
            origin: ORIGIN,
            flags: 0x05,
        }
    }

    fn client_data(&self, kind: &str, page: &Seen) -> Vec<u8> {
        let challenge = page.text.split("data-challenge=\"").nth(1).unwrap();
        let challenge = challenge.split('"').next().unwrap();
        let origin = self.origin;
        format!(
            "{{\"type\":\"webauthn.{kind}\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\"}}"
        )
        .into_bytes()
    }

    fn data(&self, flags: u8, rest: &[u8]) -> Vec<u8> {
        let domain = Sha256::digest("signin.example");
        [
            domain.as_slice(),
            &[flags],
            &self.counter.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    /// What a page sends of a key that was made.
    pub(crate) fn made(&self, page: &Seen) -> Vec<(&'static str, String)> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let point = point.as_bytes();
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let credential = [
            &[0; 16],
            length.as_slice(),
            &self.id,
            &head,
            &point[1..33],
            &[0x22, 0x58, 0x20],
            &point[33..],
        ]
        .concat();
        vec![
            (
                "client_data",
                URL_SAFE_NO_PAD.encode(self.client_data("create", page)),
            ),
            (
                "authenticator_data",
                URL_SAFE_NO_PAD.encode(self.data(self.flags | 0x40, &credential)),
            ),
            ("name", "Laptop".to_owned()),
        ]
    }

    /// What a page sends of a challenge that was signed.
    fn shown(&self, page: &Seen) -> Vec<(&'static str, String)> {
        let (client, data) = (self.client_data("get", page), self.data(self.flags, &[]));
        let signature: Signature = self
            .key
            .sign(&[data.as_slice(), &Sha256::digest(&client)].concat());
        vec![
            ("id", URL_SAFE_NO_PAD.encode(&self.id)),
            ("client_data", URL_SAFE_NO_PAD.encode(&client)),
            ("authenticator_data", URL_SAFE_NO_PAD.encode(&data)),
            (
                "signature",
                URL_SAFE_NO_PAD.encode(signature.to_der().as_bytes()),
            ),
            ("next", "/dashboard/account".to_owned()),
        ]
    }
}

async fn send(visitor: &Visitor, path: &str, fields: &[(&'static str, String)]) -> Seen {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    visitor.post(path, &fields).await
}

/// Adds a passkey to the account that is signed in here.
pub(crate) async fn add(visitor: &Visitor, authenticator: &Authenticator) -> Seen {
    let page = visitor
        .post("/dashboard/account/passkeys", &[("present", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    send(
        visitor,
        "/dashboard/account/passkeys/add",
        &authenticator.made(&page),
    )
    .await
}

pub(super) async fn show(visitor: &Visitor, authenticator: &Authenticator) -> Seen {
    let page = visitor.post("/dashboard/sign-in/passkey", &[]).await;
    send(
        visitor,
        "/dashboard/sign-in/passkey/finish",
        &authenticator.shown(&page),
    )
    .await
}

/// Passkeys as a kind of credential.
pub(crate) async fn passkeys(app: &App) {
    let server = app
        .beside(
            std::sync::Arc::new(testkit::Scripted::version("1")),
            |settings| settings.server.public_url = ORIGIN.into(),
        )
        .await;
    let made = make_account(app, "keys@example.com", false).await;
    let (db, keys) = (&app.app.state.db, &app.app.state.keys);
    let inside = signed_in(&server, "keys@example.com").await;
    let (first, second) = (Authenticator::new(3), Authenticator::new(4));
    add(&inside, &first).await;
    add(&inside, &second).await;
    assert_eq!(account::passkeys(db, &made).await.unwrap().len(), 2);
    let signs_in = async |one: &Authenticator| {
        show(&Visitor::new(&server), one).await.status == StatusCode::SEE_OTHER
    };
    assert!(signs_in(&first).await && signs_in(&second).await);
    let id = URL_SAFE_NO_PAD.encode(&first.id);
    inside
        .post(
            "/dashboard/account/passkeys/remove",
            &[("present", PASSWORD), ("id", &id)],
        )
        .await;
    assert!(!signs_in(&first).await && signs_in(&second).await);
    let now = server::platform::clock::Clock::now(&*app.clock);
    assert_eq!(
        account::take_passkeys_back(db, keys, &made, now)
            .await
            .unwrap(),
        1
    );
    assert!(!signs_in(&second).await);
}

on_each_database! {
    async fn a_passkey_signs_in_whose_device_has_verified_the_person(app: App, |settings| settings.server.public_url = ORIGIN.into()) {
        make_account(&app, "ann@example.com", true).await;
        make_account(&app, "bob@example.com", false).await;
        let inside = signed_in(&app, "ann@example.com").await;
        assert_eq!(inside.post("/dashboard/account/passkeys", &[("present", "a wrong password")]).await.status, StatusCode::UNAUTHORIZED);
        let mut laptop = Authenticator::new(7);
        assert_eq!(add(&inside, &laptop).await.location, WAYS);
        let page = inside.get(WAYS).await.text;
        assert!(page.contains("Laptop") && page.contains("Your passkey signs you in from now on"), "{page}");
        // It is one account's.
        let bob = signed_in(&app, "bob@example.com").await;
        let twice = add(&bob, &laptop).await;
        assert!(twice.status == StatusCode::CONFLICT && twice.text.contains("in use already"), "{}", twice.text);
        let visitor = Visitor::new(&app);
        assert!(visitor.get("/dashboard/sign-in").await.text.contains("/dashboard/sign-in/passkey"));
        let before = visitor.cookie();
        assert_eq!(show(&visitor, &laptop).await.location, "/dashboard/account");
        assert!(visitor.get("/dashboard/account").await.text.contains("ann@example.com"));
        assert_ne!(visitor.cookie(), before, "under a new name of the session");
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'account_signed_in' and detail = 'by a passkey'").await, 1);
        // One that counts must go on counting.
        laptop.counter = 5;
        assert_eq!(show(&Visitor::new(&app), &laptop).await.status, StatusCode::SEE_OTHER);
        for counter in [5, 4, 0] {
            laptop.counter = counter;
            assert_eq!(show(&Visitor::new(&app), &laptop).await.status, StatusCode::UNAUTHORIZED, "{counter}");
        }
        laptop.counter = 6;
        assert_eq!(show(&Visitor::new(&app), &laptop).await.status, StatusCode::SEE_OTHER);
    }

    async fn a_passkey_that_proves_nothing_lets_nobody_in(app: App, |settings| settings.server.public_url = ORIGIN.into()) {
        make_account(&app, "ann@example.com", true).await;
        let inside = signed_in(&app, "ann@example.com").await;
        let good = Authenticator::new(7);
        for bad in [
            Authenticator { origin: "https://evil.example", ..Authenticator::new(8) },
            Authenticator { flags: 0x01, ..Authenticator::new(8) },
        ] {
            assert_eq!(add(&inside, &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        add(&inside, &good).await;
        assert_eq!(count(&app, "select count(*) as n from passkeys").await, 1);
        let out = async |fields: &[(&'static str, String)], visitor: &Visitor| {
            let seen = send(visitor, "/dashboard/sign-in/passkey/finish", fields).await;
            assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{}", seen.text);
            assert!(visitor.get("/dashboard").await.location.contains("sign-in"));
        };
        let (visitor, other) = (Visitor::new(&app), Visitor::new(&app));
        let page = visitor.post("/dashboard/sign-in/passkey", &[]).await;
        let answer = good.shown(&page);
        // In another browser; after another challenge; for another page; by nobody's key; without the person.
        out(&answer, &other).await;
        visitor.post("/dashboard/sign-in/passkey", &[]).await;
        out(&answer, &visitor).await;
        for bad in [
            Authenticator { origin: "https://evil.example", ..Authenticator::new(7) },
            Authenticator { flags: 0x01, ..Authenticator::new(7) },
            Authenticator { id: vec![9; 16], ..Authenticator::new(7) },
            Authenticator { id: vec![7; 16], ..Authenticator::new(9) },
        ] {
            let page = visitor.post("/dashboard/sign-in/passkey", &[]).await;
            out(&bad.shown(&page), &visitor).await;
        }
        out(&[], &visitor).await;
        // Too late, and twice.
        let page = visitor.post("/dashboard/sign-in/passkey", &[]).await;
        app.clock.advance(301);
        out(&good.shown(&page), &visitor).await;
        let page = visitor.post("/dashboard/sign-in/passkey", &[]).await;
        let answer = good.shown(&page);
        assert_eq!(send(&visitor, "/dashboard/sign-in/passkey/finish", &answer).await.status, StatusCode::SEE_OTHER);
        visitor.post("/dashboard/sign-out", &[]).await;
        out(&answer, &visitor).await;
    }

    async fn who_has_a_session_without_the_password_adds_none(app: App, |settings| settings.server.public_url = ORIGIN.into()) {
        make_account(&app, "ann@example.com", true).await;
        make_account(&app, "bob@example.com", false).await;
        let (thief, bob) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "bob@example.com").await);
        let (own, path) = (Authenticator::new(8), "/dashboard/account/passkeys/add");
        // The door's challenge is anybody's.
        let door = thief.post("/dashboard/sign-in/passkey", &[]).await;
        assert_eq!(send(&thief, path, &own.made(&door)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // And one that was drawn for an account makes no passkey of another one, nor lets anybody in.
        let page = bob.post("/dashboard/account/passkeys", &[("present", PASSWORD)]).await;
        assert_eq!(send(&thief, path, &own.made(&page)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(count(&app, "select count(*) as n from passkeys").await, 0);
        let good = Authenticator::new(7);
        add(&bob, &good).await;
        let page = bob.post("/dashboard/account/passkeys", &[("present", PASSWORD)]).await;
        assert_eq!(send(&bob, "/dashboard/sign-in/passkey/finish", &good.shown(&page)).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn who_only_asks_leaves_few_sessions(app: App, |settings| {
        settings.server.public_url = ORIGIN.into();
        settings.limits.sign_in_per_ip = 3;
    }) {
        make_account(&app, "ann@example.com", true).await;
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(Visitor::new(&app).post("/dashboard/sign-in/passkey", &[]).await.status);
        }
        assert_eq!(answers[..3], [StatusCode::OK; 3]);
        assert_eq!(answers[3..], [StatusCode::TOO_MANY_REQUESTS; 3]);
        assert_eq!(count(&app, "select count(*) as n from sessions").await, 3);
        // Who is known asks again.
        app.clock.advance(3600);
        let visitor = Visitor::new(&app);
        for _ in 0..6 {
            assert_eq!(visitor.post("/dashboard/sign-in/passkey", &[]).await.status, StatusCode::OK);
        }
    }

    async fn where_browsers_make_no_passkeys_none_are_offered(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let inside = signed_in(&app, "ann@example.com").await;
        assert!(!Visitor::new(&app).get("/dashboard/sign-in").await.text.contains("/dashboard/sign-in/passkey"));
        assert!(inside.get(WAYS).await.text.contains("need a name"));
        assert_eq!(Visitor::new(&app).post("/dashboard/sign-in/passkey", &[]).await.location, "/dashboard/sign-in");
    }
}
