//! The demo site's backend: calls of the API, kept for the page to show.

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Request},
    http::{
        Method,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request::Parts,
    },
};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_service::Service;

use crate::{
    demo::Demo,
    http::{
        error::{ApiError, ApiResult},
        request::{API, ClientIp, header_text},
        socket::Peer,
    },
    platform::state::Shared,
};

/// Fields that a page must not show whole.
const SECRETS: [&str; 6] = [
    "secret_key",
    "authenticated_token",
    "verification_token",
    "client_session_token",
    "qrcode_base64",
    "enrollment_url",
];

/// One call of the API and its answer, with secrets cut short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) request: String,
    pub(super) sent: String,
    pub(super) answer: String,
}

/// The person whose browser asks.
pub(super) struct Caller {
    address: ClientIp,
    user_agent: String,
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        Ok(Self {
            address: ClientIp::from_request_parts(parts, state).await?,
            user_agent: header_text(&parts.headers, "user-agent")
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

/// The backend while it answers one request of a browser.
pub(super) struct Backend<'a> {
    demo: &'a Demo,
    api: &'a Router,
    caller: &'a Caller,
    token: String,
    /// What was called so far.
    pub(super) calls: Vec<Call>,
}

impl<'a> Backend<'a> {
    /// Signs the backend in at the API; `scope` is `site` or `widget`.
    ///
    /// # Errors
    /// When the API refuses, which a page then shows.
    pub(super) async fn sign_in(
        demo: &'a Demo,
        api: &'a Router,
        caller: &'a Caller,
        scope: &str,
    ) -> ApiResult<Result<Self, String>> {
        let mut backend = Self {
            demo,
            api,
            caller,
            token: String::new(),
            calls: Vec::new(),
        };
        let keys = json!({
            "api_key": backend.demo.api_key,
            "secret_key": backend.demo.secret_key.reveal(),
            "scope": scope,
        });
        let answer = backend.post("/application_auth", &keys).await?;
        Ok(answer.map(|data| {
            backend.token = text(&data, "authenticated_token");
            backend
        }))
    }

    /// The token.
    pub(super) fn into_token(self) -> String {
        self.token
    }

    /// Posts JSON: the `data` of a success, or the API's sentence for people.
    ///
    /// # Errors
    /// When there is no answer in the envelope.
    pub(super) async fn post(
        &mut self,
        path: &str,
        body: &Value,
    ) -> ApiResult<Result<Value, String>> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Gets, the same.
    ///
    /// # Errors
    /// When there is no answer in the envelope.
    pub(super) async fn get(&mut self, path: &str) -> ApiResult<Result<Value, String>> {
        self.call(Method::GET, path, None).await
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> ApiResult<Result<Value, String>> {
        let address = self.caller.address.0;
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{API}{path}"))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header("x-forwarded-for", address.to_string())
            .header("x-browser-user-agent", &self.caller.user_agent)
            .extension(Peer::Address(address))
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .map_err(|error| ApiError::internal(&error))?;
        let Ok(answer) = self.api.clone().call(request).await;
        let status = answer.status();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| ApiError::internal(&error))?
            .to_bytes();
        let envelope: Value =
            serde_json::from_slice(&bytes).map_err(|error| ApiError::internal(&error))?;
        let route = path.split('?').next().unwrap_or(path);
        self.calls.push(Call {
            request: format!("{method} {route}"),
            sent: body.map(shown).unwrap_or_default(),
            answer: format!("{} {}", status.as_u16(), shown(&envelope)),
        });
        Ok(if status.is_success() {
            Ok(envelope["data"].clone())
        } else {
            Err(text(&envelope, "user_message"))
        })
    }
}

/// A text in an object; empty where there is none.
pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// JSON for a page, its secrets cut short.
fn shown(value: &Value) -> String {
    let mut value = value.clone();
    cut(&mut value);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn cut(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        match value {
            Value::String(text) if SECRETS.contains(&name.as_str()) => {
                let kept: String = text.chars().take(12).collect();
                *text = format!("{kept}…");
            }
            value => cut(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown_whole() {
        let secret = "st_0123456789abcdefghijklmnop";
        for name in SECRETS {
            let shown = shown(&json!({ "success": true, "data": { name: secret } }));
            assert!(
                shown.contains("st_012345678…") && !shown.contains(secret),
                "{shown}"
            );
        }
    }
}
