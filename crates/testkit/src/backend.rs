//! A site's backend, and the people it makes known.

use std::sync::Arc;

use phone::{Phone, PhoneError};
use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use server::{app::API, site::NewSite};
use uuid::Uuid;

use crate::{clock::TestClock, contract, page::Page, photos::photos};

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status of the HTTP answer.
    pub status: u16,
    /// The envelope, as JSON.
    pub body: Value,
    /// Seconds of `Retry-After`, where it was sent.
    pub retry_after: Option<u64>,
}

impl Answer {
    /// Sends a request and takes its answer, which must be an envelope that agrees with itself.
    ///
    /// # Panics
    /// When it is not.
    pub async fn to(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the server answers");
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().parse().expect("seconds"));
        let text = response.text().await.expect("a body");
        let body: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, no JSON: {text}"));
        if body["success"] == json!(true) {
            assert_eq!(status, 200, "{body}");
            assert!(body["data"].is_object(), "{body}");
        } else {
            assert_eq!(body["success"], json!(false), "{body}");
            assert_eq!(body["http_code"], json!(status), "{body}");
            for text in ["message", "user_message", "error"] {
                assert!(body[text].as_str().is_some_and(|t| !t.is_empty()), "{body}");
            }
            assert_eq!(
                matches!(status, 429 | 503),
                retry_after.is_some() && status != 403
            );
        }
        let answer = Self {
            status,
            body,
            retry_after,
        };
        contract::hold(method.as_str(), &path, status, answer.code());
        answer
    }

    /// The contract's code; 0 for a success.
    #[must_use]
    pub fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or(0)
    }

    /// The field that `details` names.
    #[must_use]
    pub fn field(&self) -> &str {
        self.body["details"]["field"].as_str().unwrap_or_default()
    }

    /// The data of a success.
    ///
    /// # Panics
    /// When it is a failure.
    #[must_use]
    pub fn data(&self) -> &Value {
        assert_eq!(self.body["success"], json!(true), "{}", self.body);
        &self.body["data"]
    }

    /// A text in the data of a success.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let value = self.data()[name].as_str();
        value
            .unwrap_or_else(|| panic!("no {name} in {}", self.body))
            .to_owned()
    }
}

/// A site's backend, signed in.
#[derive(Clone)]
pub struct Backend {
    /// Where the server listens.
    pub url: String,
    /// Id of the site that this is the backend of.
    pub site_id: Uuid,
    /// The site's public key.
    pub api_key: String,
    /// The site's secret key.
    pub secret_key: String,
    /// A token of scope `site`, which calls are made with.
    pub token: String,
    http: Client,
    clock: Arc<TestClock>,
}

/// Someone who is known to a site, with a paired phone.
pub struct Person {
    /// The contract's `client_id`.
    pub client_id: Uuid,
    /// The phone that is paired with them.
    pub phone: Phone,
}

impl Backend {
    pub(crate) async fn sign_in(url: &str, clock: Arc<TestClock>, new: NewSite) -> Self {
        let mut backend = Self {
            url: url.to_owned(),
            site_id: new.site.id,
            api_key: new.site.api_key,
            secret_key: new.secret_key.reveal().to_owned(),
            token: String::new(),
            http: Client::new(),
            clock,
        };
        backend.token = backend.token_of("site").await;
        backend
    }

    /// A token of this scope.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn token_of(&self, scope: &str) -> String {
        let keys = json!({
            "api_key": self.api_key, "secret_key": self.secret_key, "scope": scope,
        });
        self.post("/application_auth", &keys)
            .await
            .text("authenticated_token")
    }

    /// The same backend with another bearer.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// The same backend, talking to another server.
    #[must_use]
    pub fn through(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// A request to a route of the API, with the bearer.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self
            .http
            .request(method, format!("{}{API}{path}", self.url));
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    /// Posts JSON with the site's token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request("POST", path).json(body)).await
    }

    /// Asks with the site's token.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path)).await
    }

    /// Makes a client known.
    ///
    /// # Panics
    /// When that fails.
    pub async fn client(&self, email: &str) -> Uuid {
        let body = json!({ "email": email, "full_name": "Ann Example" });
        self.post("/client/create", &body)
            .await
            .text("client_id")
            .parse()
            .expect("a UUID")
    }

    /// A link to pair a phone with.
    ///
    /// # Panics
    /// When that fails.
    pub async fn enrolment_link(&self, client_id: Uuid, flow_type: &str) -> String {
        let body = json!({ "id": client_id, "flow_type": flow_type });
        self.post("/client/qrcode", &body)
            .await
            .text("enrollment_url")
    }

    /// Pairs a phone.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn try_pair(&self, link: &str) -> Result<Phone, PhoneError> {
        Phone::pair(link, &self.url, "test phone", self.clock.clone()).await
    }

    /// A client with a paired phone and no face.
    ///
    /// # Panics
    /// When that fails.
    pub async fn paired(&self, email: &str) -> Person {
        let client_id = self.client(email).await;
        let link = self.enrolment_link(client_id, "signup").await;
        let phone = self.try_pair(&link).await.expect("the phone is paired");
        Person { client_id, phone }
    }

    /// A client with a paired phone and the face of person 0.
    ///
    /// # Panics
    /// When that fails.
    pub async fn enrolled(&self, email: &str) -> Person {
        let person = self.paired(email).await;
        person
            .phone
            .enrol(&[photos().of(0, 0)])
            .await
            .expect("the face is enrolled");
        person
    }

    /// Uploads a photo as the site's backend.
    pub async fn upload(&self, client_id: &str, photo: Vec<u8>) -> Answer {
        let form = Form::new()
            .text("id", client_id.to_owned())
            .part("facial", Part::bytes(photo).file_name("face.jpg"));
        Answer::to(
            self.request("POST", "/client/upload_facial")
                .multipart(form),
        )
        .await
    }

    /// Asks for a sign-on: its verification token.
    ///
    /// # Panics
    /// When that fails.
    pub async fn push(&self, client_id: Uuid) -> String {
        self.try_push(client_id).await.text("verification_token")
    }

    /// Asks for a sign-on.
    pub async fn try_push(&self, client_id: Uuid) -> Answer {
        self.post("/login/push_notification", &json!({ "id": client_id }))
            .await
    }

    /// What `login/status` says to a page with this token.
    pub async fn status(&self, verification_token: &str) -> Answer {
        self.get(&format!(
            "/login/status?verification_token={verification_token}"
        ))
        .await
    }

    /// Redeems a session token.
    pub async fn redeem(&self, session: &str, client_id: Uuid) -> Answer {
        let body = json!({ "client_session_token": session, "client_id": client_id });
        self.post("/login/validate_session", &body).await
    }

    /// A page of this site, connected with a widget token.
    pub async fn page(&self) -> Page {
        Page::connect(&self.url, Some(&self.token_of("widget").await)).await
    }
}

impl Person {
    /// The one sign-on that waits for this person.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub async fn waiting(&self) -> Uuid {
        let waiting = self.phone.pending(0).await.expect("the inbox opens");
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap()
    }
}
