//! Device proofs, forged in every way a thief of tokens might try.

use phone::{Key, Pairing, Request, content_digest};
use reqwest::{Client, RequestBuilder};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use server::platform::clock::Clock;
use testkit::{Answer, App, on_each_database};

const PATH: &str = "/api/v1/facial_sign_on/device/challenge";

/// A request as the phone would make it, with each part open to change.
struct Forged<'f> {
    memory: &'f Pairing,
    key: Key,
    method: &'static str,
    url: String,
    path: &'static str,
    token: Option<String>,
    signed: &'static [u8],
    sent: &'static [u8],
    at: server::platform::clock::Moment,
}

impl<'f> Forged<'f> {
    fn new(app: &App, memory: &'f Pairing) -> Self {
        Self {
            memory,
            key: Key::from_pem(&memory.key).unwrap(),
            method: "POST",
            url: format!("{}{PATH}", app.url),
            path: PATH,
            token: Some(memory.device_token.clone()),
            signed: b"{}",
            sent: b"{}",
            at: app.clock.now(),
        }
    }

    fn proof(&self) -> String {
        let token = self.token.as_deref();
        let request = Request {
            method: self.method,
            url: &self.url,
            token,
            body: self.signed,
            at: self.at,
        };
        self.key.prove(&request).unwrap()
    }

    fn request(&self) -> RequestBuilder {
        Client::new()
            .post(format!("{}{}", self.memory.server, self.path))
            .header("DPoP", self.proof())
            .header(
                "Authorization",
                format!("DPoP {}", self.memory.device_token),
            )
            .header("Content-Digest", content_digest(self.signed))
            .body(self.sent)
    }

    async fn code(&self) -> u64 {
        Answer::to(self.request()).await.code()
    }
}

on_each_database! {
    async fn a_true_proof_passes_and_never_again(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        let request = Forged::new(&app, ann.phone.pairing()).request();
        let again = request.try_clone().unwrap();
        assert_eq!(Answer::to(request).await.code(), 0);
        let replayed = Answer::to(again).await;
        assert_eq!((replayed.status, replayed.code()), (401, 1050));
    }

    async fn a_proof_for_another_request_is_1050(app: App) {
        let site = app.site("a.example").await;
        let (ann, bob) = (site.paired("ann@example.com").await, site.paired("bob@example.com").await);
        let memory = ann.phone.pairing();
        let forged = || Forged::new(&app, memory);
        assert_eq!(forged().code().await, 0);
        assert_eq!(Forged { key: Key::generate(), ..forged() }.code().await, 1050);
        let bobs = Key::from_pem(&bob.phone.pairing().key).unwrap();
        assert_eq!(Forged { key: bobs, ..forged() }.code().await, 1050);
        assert_eq!(Forged { method: "GET", ..forged() }.code().await, 1050);
        assert_eq!(Forged { url: app.url.clone(), ..forged() }.code().await, 1050);
        let elsewhere = format!("https://evil.example{PATH}");
        assert_eq!(Forged { url: elsewhere, ..forged() }.code().await, 1050);
        assert_eq!(Forged { url: "no address".into(), ..forged() }.code().await, 1050);
        assert_eq!(Forged { token: None, ..forged() }.code().await, 1050);
        assert_eq!(Forged { token: Some("dt_other".into()), ..forged() }.code().await, 1050);
        assert_eq!(Forged { sent: b"{ }", ..forged() }.code().await, 1050);
        assert_eq!(Forged { signed: b"", ..forged() }.code().await, 1050);
        let query = format!("{}{PATH}?ignored=1", app.url);
        assert_eq!(Forged { url: query, ..forged() }.code().await, 0);
    }

    /// Phones forget a pairing by it, so nothing that may pass another time says it.
    async fn only_a_phone_that_is_not_paired_any_more_is_told_so(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        let memory = ann.phone.pairing();
        let forged = || Forged::new(&app, memory);
        let reason = async |request| {
            let answer = Answer::to(request).await;
            assert_eq!(answer.code(), 1050);
            answer.body["details"]["reason"].as_str().map(str::to_owned)
        };
        let elsewhere = format!("https://evil.example{PATH}");
        assert_eq!(reason(Forged { url: elsewhere, ..forged() }.request()).await, None);
        let late = app.clock.now() - chrono::TimeDelta::seconds(90);
        assert_eq!(reason(Forged { at: late, ..forged() }.request()).await, None);
        let request = forged().request();
        let again = request.try_clone().unwrap();
        assert_eq!(Answer::to(request).await.code(), 0);
        assert_eq!(reason(again).await, None);
        let stripped = Client::new()
            .post(format!("{}{PATH}", app.url))
            .header("DPoP", forged().proof())
            .header("Content-Digest", content_digest(b"{}"))
            .body("{}");
        assert_eq!(reason(stripped).await, None);
        let db = &app.app.state.db;
        db.execute_unprepared("update sites set disabled_at = created_at").await.unwrap();
        assert_eq!(reason(forged().request()).await, None);
        db.execute_unprepared("update sites set disabled_at = null").await.unwrap();
        ann.phone.unpair(memory.device_id).await.unwrap();
        assert_eq!(reason(forged().request()).await.as_deref(), Some("unpaired"));
    }

    /// While no public address is set, this machine's names stand for it, and no name that a proxy or an
    /// attacker brings.
    async fn without_a_public_address_the_host_is_not_believed(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        let port = app.url.rsplit(':').next().unwrap().to_owned();
        let forged = |host: &str| {
            let url = format!("http://{host}{PATH}");
            let forged = Forged { url, ..Forged::new(&app, ann.phone.pairing()) };
            Answer::to(forged.request().header("Host", host.to_owned()))
        };
        for (host, code) in [
            (format!("127.0.0.1:{port}"), 0), (format!("localhost:{port}"), 0), (format!("[::1]:{port}"), 0),
            ("localhost:1".into(), 1050), (format!("evil.example:{port}"), 1050), ("evil.example".into(), 1050),
        ] {
            assert_eq!(forged(&host).await.code(), code, "{host}");
        }
    }

    async fn a_proof_is_fresh_for_a_minute(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        let now = app.clock.now();
        for (seconds, code) in [(-62, 1050), (-60, 0), (60, 0), (62, 1050), (86_400, 1050)] {
            let at = now + chrono::TimeDelta::seconds(seconds);
            let forged = Forged { at, ..Forged::new(&app, ann.phone.pairing()) };
            assert_eq!(forged.code().await, code, "{seconds} s");
        }
    }

    async fn what_is_no_proof_is_1050(app: App) {
        let site = app.site("a.example").await;
        let ann = site.paired("ann@example.com").await;
        let memory = ann.phone.pairing();
        let real = Forged::new(&app, memory).proof();
        let parts: Vec<&str> = real.split('.').collect();
        let other = Forged::new(&app, memory).proof();
        let others: Vec<&str> = other.split('.').collect();
        let swapped = format!("{}.{}.{}", parts[0], parts[1], others[2]);
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.{}.", parts[1]);
        for proof in [
            "", "x", "a.b.c", &swapped, &unsigned, &format!("{real}x"), &"a".repeat(5000),
            &site.token,
        ] {
            let request = Client::new()
                .post(format!("{}{PATH}", app.url))
                .header("DPoP", proof)
                .header("Authorization", format!("DPoP {}", memory.device_token))
                .header("Content-Digest", content_digest(b"{}"))
                .body("{}");
            assert_eq!(Answer::to(request).await.code(), 1050, "{proof:.40}");
        }
        let twice = Forged::new(&app, memory).request().header("DPoP", real);
        assert_eq!(Answer::to(twice).await.code(), 1050);
        let bearer = site.with_token(&memory.device_token).request("POST", "/device/challenge")
            .header("DPoP", Forged::new(&app, memory).proof()).body("{}");
        assert_eq!(Answer::to(bearer).await.code(), 1050);
    }

    async fn a_proof_without_the_digest_of_its_body_is_1050(app: App) {
        let ann = app.site("a.example").await.paired("ann@example.com").await;
        let forged = Forged::new(&app, ann.phone.pairing());
        let request = Client::new()
            .post(format!("{}{PATH}", app.url))
            .header("DPoP", forged.proof())
            .header("Authorization", format!("DPoP {}", ann.phone.pairing().device_token))
            .body("{}");
        assert_eq!(Answer::to(request).await.code(), 1050);
    }

    async fn registering_needs_a_proof_too(app: App) {
        let site = app.site("a.example").await;
        let client = site.client("ann@example.com").await;
        let link = site.enrolment_link(client, "signup").await;
        let body = json!({
            "enrollment_token": link.split('#').nth(1), "name": "n", "platform": "web",
            "push": { "kind": "none" },
        });
        assert_eq!(site.post("/device/register", &body).await.code(), 1050);
        assert!(site.try_pair(&link).await.is_ok());
    }

    async fn a_registration_is_checked_field_by_field(app: App) {
        let site = app.site("a.example").await;
        let fine = json!({
            "enrollment_token": "et_x", "name": "n", "platform": "web", "push": { "kind": "none" },
        });
        let url = format!("{}/api/v1/facial_sign_on/device/register", app.url);
        let send = async |body: Value| {
            let body = body.to_string().into_bytes();
            let request = Request {
                method: "POST", url: &url, token: None, body: &body, at: app.clock.now(),
            };
            let request = Client::new().post(&url)
                .header("DPoP", Key::generate().prove(&request).unwrap())
                .header("Content-Digest", content_digest(&body))
                .body(body);
            Answer::to(request).await
        };
        assert_eq!(send(fine.clone()).await.code(), 1051);
        for (field, value) in [
            ("name", json!("")), ("name", json!("x".repeat(101))), ("name", json!(7)),
            ("platform", json!("toaster")), ("push", json!({ "kind": "pigeon" })),
            ("push", json!({ "kind": "web_push" })), ("enrollment_token", json!(1)),
        ] {
            let mut body = fine.clone();
            body[field] = value;
            let answer = send(body.clone()).await;
            assert_eq!(answer.code(), 1006, "{body}");
            assert!(answer.field().starts_with(field) || answer.field() == "subscription", "{}", answer.body);
        }
        let _ = site;
    }
}
