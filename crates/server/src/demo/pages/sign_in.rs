//! Signing in: by the widget's form, and by the API alone.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderValue, StatusCode, header::REFRESH},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_sessions::Session;

use super::{
    Relying, back,
    backend::{Backend, Call, Caller, text},
    visitor::{Asked, SignedIn, Visitor},
};
use crate::{
    http::error::ApiResult,
    pages::layout::{Layout, Page},
    platform::state::Shared,
};

#[derive(Deserialize)]
pub(super) struct Email {
    #[serde(default)]
    email: String,
}

/// By the API: looks the person up and asks their phone.
pub(super) async fn ask(
    State(_): State<Shared>,
    Extension(relying): Extension<Relying>,
    session: Session,
    caller: Caller,
    Form(form): Form<Email>,
) -> ApiResult<Redirect> {
    let visitor = Visitor(session);
    let mut backend = match Backend::sign_in(&relying.demo, &relying.api, &caller, "site").await? {
        Ok(backend) => backend,
        Err(sentence) => return back(&visitor, sentence).await,
    };
    let found = json!({ "email": form.email });
    let client = match backend.post("/login/lookup_client", &found).await? {
        Ok(client) => client,
        Err(sentence) => return back(&visitor, sentence).await,
    };
    let id = json!({ "id": client["client_id"] });
    match backend.post("/login/push_notification", &id).await? {
        Ok(pushed) => {
            let asked = Asked {
                email: text(&client, "email"),
                verification_token: text(&pushed, "verification_token"),
                number: pushed["number"].as_u64(),
                calls: backend.calls,
            };
            visitor.remember(&asked).await?;
            Ok(Redirect::to("/demo/wait"))
        }
        Err(sentence) => back(&visitor, sentence).await,
    }
}

#[derive(Template)]
#[template(path = "demo/pages/wait.html")]
struct Wait {
    layout: Layout,
    email: String,
    phone: String,
    is_scanning: bool,
    /// The number to type on the phone, with two digits.
    number: Option<String>,
    calls: Vec<Call>,
}

impl Page for Wait {
    fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// Asks how it stands, every second, until there is a verdict; then redeems it.
pub(super) async fn wait(
    State(_): State<Shared>,
    Extension(relying): Extension<Relying>,
    session: Session,
    caller: Caller,
) -> ApiResult<Response> {
    let visitor = Visitor(session);
    let Some(asked) = visitor.find::<Asked>().await? else {
        return Ok(Redirect::to("/demo").into_response());
    };
    let mut backend = match Backend::sign_in(&relying.demo, &relying.api, &caller, "site").await? {
        Ok(backend) => backend,
        Err(sentence) => return Ok(back(&visitor, sentence).await?.into_response()),
    };
    backend.calls = asked.calls;
    let path = format!(
        "/login/status?verification_token={}",
        asked.verification_token
    );
    let status = match backend.get(&path).await? {
        Ok(status) => status,
        Err(sentence) => return Ok(back(&visitor, sentence).await?.into_response()),
    };
    let sentence = match status["status"].as_str().unwrap_or_default() {
        "pending" | "scanning" => {
            let page = Wait {
                layout: Layout::new(),
                email: asked.email,
                phone: relying.demo.phone.clone(),
                number: asked.number.map(|number| format!("{number:02}")),
                is_scanning: status["status"] == "scanning",
                calls: backend.calls,
            };
            let mut page = page.answer(StatusCode::OK)?;
            let every_second = HeaderValue::from_static("1");
            page.headers_mut().insert(REFRESH, every_second);
            return Ok(page);
        }
        "verified" => {
            visitor.take::<Asked>().await?;
            let proof = json!({
                "client_session_token": status["client_session_token"],
                "client_id": status["client_id"],
                // So that no other sign-on's proof is taken for the one that this page asked for.
                "verification_token": asked.verification_token,
            });
            return Ok(redeem(&visitor, backend, &proof).await?.into_response());
        }
        "denied" => "You said no on your phone.".to_owned(),
        "expired" => "Nobody answered in time.".to_owned(),
        _ => text(&status, "user_message"),
    };
    visitor.take::<Asked>().await?;
    Ok(back(&visitor, sentence).await?.into_response())
}

/// What the widget sends once the phone has verified the person.
#[derive(Deserialize)]
pub(super) struct Proof {
    #[serde(default)]
    client_session_token: String,
    #[serde(default)]
    client_id: String,
}

/// By the widget: its form carries the proof, which the backend redeems.
pub(super) async fn by_widget(
    State(_): State<Shared>,
    Extension(relying): Extension<Relying>,
    session: Session,
    caller: Caller,
    Form(proof): Form<Proof>,
) -> ApiResult<Redirect> {
    let visitor = Visitor(session);
    let proof = json!({
        "client_session_token": proof.client_session_token,
        "client_id": proof.client_id,
    });
    match Backend::sign_in(&relying.demo, &relying.api, &caller, "site").await? {
        Ok(backend) => redeem(&visitor, backend, &proof).await,
        Err(sentence) => back(&visitor, sentence).await,
    }
}

/// The one place where a person is signed in: nothing but what the API redeems is believed.
async fn redeem(visitor: &Visitor, mut backend: Backend<'_>, proof: &Value) -> ApiResult<Redirect> {
    match backend.post("/login/validate_session", proof).await? {
        Ok(claims) => {
            let who = SignedIn {
                email: text(&claims, "email"),
                is_test: claims["test"] == true,
                claims: serde_json::to_string_pretty(&claims).unwrap_or_default(),
                calls: backend.calls,
            };
            visitor.sign_in(&who).await?;
            Ok(Redirect::to("/demo"))
        }
        Err(sentence) => back(visitor, sentence).await,
    }
}
