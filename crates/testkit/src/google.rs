//! What Firebase Cloud Messaging and Google's tokens are to a sender: they check what the real ones check, and fail as those
//! do when a test wants it.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

/// The kind of FCM's own word in an error's details.
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/// A failure of `messages:send`: status, FCM's word, and a header.
pub type Fault = (u16, &'static str, Option<(&'static str, &'static str)>);

/// Where Google is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// Before it looks at what wants a token.
    Token,
    /// Before it looks at a message.
    Message,
    /// With the answer to a message that it has taken.
    Answer,
}

#[derive(Default)]
struct Gate {
    came: Notify,
    go: Notify,
}

/// A request that waits at Google until it is let go. One that never is hangs.
pub struct Held(Arc<Gate>);

impl Held {
    /// Waits until the request is there.
    pub async fn came(&self) {
        self.0.came.notified().await;
    }

    /// Goes on with it.
    pub fn let_go(self) {
        self.0.go.notify_one();
    }
}

#[derive(Default)]
struct Told {
    /// Tokens that let messages in.
    passes: HashSet<String>,
    given: u32,
    next: VecDeque<Fault>,
    held: Vec<(Slow, Arc<Gate>)>,
    no_token: bool,
    /// Registration tokens of apps that were removed.
    removed: HashSet<String>,
    received: Vec<Value>,
}

/// Google, as far as pushes go, on a random port of this machine.
#[derive(Clone)]
pub struct Google {
    /// Where it listens.
    pub url: String,
    file: Arc<Value>,
    checking: DecodingKey,
    told: Arc<Mutex<Told>>,
}

/// A new service account: the file by which its owner is known, and what checks signatures.
///
/// # Panics
/// When no key can be made.
#[must_use]
pub fn service_account() -> (Value, DecodingKey) {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS #8");
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    let (name, public) = ("PRIVATE KEY", pair.public_key().as_ref());
    let pem = format!(
        "-----BEGIN {name}-----\n{}\n-----END {name}-----\n",
        lines.join("\n")
    );
    let file = json!({
        "type": "service_account",
        "project_id": "shop-1234",
        "private_key_id": hex(&public[20..40]),
        "private_key": pem,
        "client_email": "axiam@shop-1234.iam.gserviceaccount.com",
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    (file, DecodingKey::from_rsa_der(public))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Google {
    /// Starts one that knows one service account.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (file, checking) = service_account();
        let google = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            file: Arc::new(file),
            checking,
            told: Arc::default(),
        };
        let router = Router::new()
            .route("/token", post(token))
            .route("/v1/projects/{project}/{call}", post(send))
            .with_state(google.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        google
    }

    /// The key of the service account, as the console of Firebase gives it out.
    #[must_use]
    pub fn key_file(&self) -> Value {
        (*self.file).clone()
    }

    /// Fails the next messages like this, one each.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.told().next.extend(faults);
    }

    /// Is slow with the next request that comes so far: it waits there until it is let go.
    #[must_use]
    pub fn hold(&self, at: Slow) -> Held {
        let gate = Arc::<Gate>::default();
        self.told().held.push((at, gate.clone()));
        Held(gate)
    }

    async fn pass(&self, at: Slow) {
        let gate = {
            let mut told = self.told();
            let place = told.held.iter().position(|(slow, _)| *slow == at);
            place.map(|place| told.held.remove(place).1)
        };
        if let Some(gate) = gate {
            gate.came.notify_one();
            gate.go.notified().await;
        }
    }

    /// Gives no tokens out from now on, or does again.
    pub fn give_tokens(&self, gives: bool) {
        self.told().no_token = !gives;
    }

    /// Takes none of the tokens that were given out until now.
    pub fn end_tokens(&self) {
        self.told().passes.clear();
    }

    /// The app with this registration token is removed from its phone.
    pub fn remove(&self, registration: &str) {
        self.told().removed.insert(registration.to_owned());
    }

    /// How many tokens were given out.
    #[must_use]
    pub fn tokens_given(&self) -> u32 {
        self.told().given
    }

    /// The messages that were taken, in their order; they are forgotten here.
    #[must_use]
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.told().received)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn token(
    State(google): State<Google>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    google.pass(Slow::Token).await;
    let refused = |why: &str| {
        let said = json!({ "error": "invalid_grant", "error_description": why });
        (StatusCode::BAD_REQUEST, Json(said)).into_response()
    };
    if form.get("grant_type").map(String::as_str)
        != Some("urn:ietf:params:oauth:grant-type:jwt-bearer")
    {
        return refused("Unsupported grant type.");
    }
    let assertion = form.get("assertion").map_or("", String::as_str);
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&["https://oauth2.googleapis.com/token"]);
    // Tests turn the clock of the program, not this one's.
    rules.validate_exp = false;
    let kid = decode_header(assertion).ok().and_then(|header| header.kid);
    let claims = match decode::<Value>(assertion, &google.checking, &rules) {
        Ok(decoded) if kid.as_deref() == google.file["private_key_id"].as_str() => decoded.claims,
        _ => return refused("Invalid JWT Signature."),
    };
    let life = claims["exp"]
        .as_i64()
        .zip(claims["iat"].as_i64())
        .map(|(end, start)| end - start);
    let is_good = claims["iss"] == google.file["client_email"]
        && claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        && life.is_some_and(|life| (1..=3600).contains(&life));
    let mut told = google.told();
    if !is_good || told.no_token {
        return refused("Invalid grant: account not found");
    }
    told.given += 1;
    let pass = format!("ya29.{}", told.given);
    told.passes.insert(pass.clone());
    Json(json!({ "access_token": pass, "expires_in": 3599, "token_type": "Bearer" }))
        .into_response()
}

async fn send(
    State(google): State<Google>,
    Path((project, call)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    google.pass(Slow::Message).await;
    let answer = look(&google, (&project, &call), &headers, &body);
    if answer.status().is_success() {
        google.pass(Slow::Answer).await;
    }
    answer
}

fn look(
    google: &Google,
    (project, call): (&str, &str),
    headers: &HeaderMap,
    body: &Value,
) -> Response {
    let mut told = google.told();
    let pass = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let pass = pass.and_then(|value| value.strip_prefix("Bearer "));
    if !pass.is_some_and(|pass| told.passes.contains(pass)) {
        return failure(401, "UNAUTHENTICATED", None);
    }
    if project != "shop-1234" || call != "messages:send" {
        return failure(404, "NOT_FOUND", None);
    }
    if let Some((status, word, header)) = told.next.pop_front() {
        return failure(status, word, header);
    }
    let message = &body["message"];
    let Some(registration) = message["token"].as_str() else {
        return failure(400, "INVALID_ARGUMENT", None);
    };
    if told.removed.contains(registration) {
        return failure(404, "UNREGISTERED", None);
    }
    let are_texts = |value: &Value| {
        value
            .as_object()
            .is_some_and(|map| map.values().all(Value::is_string))
    };
    let is_good = registration.len() > 20
        && are_texts(&message["data"])
        && message["android"]["ttl"]
            .as_str()
            .is_some_and(|ttl| ttl.ends_with('s'))
        && are_texts(&message["apns"]["headers"])
        && are_texts(&message["webpush"]["headers"]);
    if !is_good {
        return failure(400, "INVALID_ARGUMENT", None);
    }
    told.received.push(body.clone());
    Json(json!({ "name": format!("projects/{project}/messages/{}", told.received.len()) }))
        .into_response()
}

fn failure(status: u16, word: &str, header: Option<(&'static str, &'static str)>) -> Response {
    let body = json!({ "error": {
        "code": status, "message": "a failure", "status": word,
        "details": [{ "@type": FCM_ERROR, "errorCode": word }],
    } });
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = (status, Json(body)).into_response();
    if let Some((name, value)) = header {
        response
            .headers_mut()
            .insert(name, value.parse().expect("a header's value"));
    }
    response
}
