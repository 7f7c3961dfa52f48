//! One signed call of the contract, and its envelope.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    error::PhoneError,
    key::{Key, Request, content_digest},
};

/// Where the contract's routes begin.
const API: &str = "/api/v1/facial_sign_on";

/// Who calls whom: a server's address, and the key and token that sign.
pub(crate) struct Caller<'c> {
    pub(crate) http: Client,
    pub(crate) server: String,
    pub(crate) clock: &'c dyn Clock,
    pub(crate) key: &'c Key,
    /// The device token; a phone that is about to pair has none.
    pub(crate) token: Option<&'c str>,
}

impl Caller<'_> {
    pub(crate) async fn json(&self, path: &str, body: &Value) -> Result<Value, PhoneError> {
        let body = body.to_string().into_bytes();
        self.send(Method::POST, path, "", "application/json", body)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, PhoneError> {
        let body = b"{}".to_vec();
        self.send(Method::DELETE, path, "", "application/json", body)
            .await
    }

    pub(crate) async fn get(&self, path: &str, query: &str) -> Result<Value, PhoneError> {
        self.send(Method::GET, path, query, "", Vec::new()).await
    }

    /// Sends a signed request and gives the `data` of its envelope.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        query: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Value, PhoneError> {
        let url = format!("{}{API}{path}", self.server);
        let proof = self.key.prove(&Request {
            method: method.as_str(),
            url: &url,
            token: self.token,
            body: &body,
            at: self.clock.now(),
        })?;
        let address = if query.is_empty() {
            url
        } else {
            format!("{url}?{query}")
        };
        let mut request = self.http.request(method, address).header("DPoP", proof);
        if let Some(token) = self.token {
            request = request.header("Authorization", format!("DPoP {token}"));
        }
        if !body.is_empty() {
            request = request
                .header("Content-Type", content_type)
                .header("Content-Digest", content_digest(&body))
                .body(body);
        }
        let network = |error: reqwest::Error| PhoneError::Network(chain(&error));
        let reply: Value = request
            .send()
            .await
            .map_err(network)?
            .json()
            .await
            .map_err(network)?;
        open_envelope(reply)
    }
}

/// An error with what it comes from; reqwest's own text leaves that out.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn open_envelope(mut reply: Value) -> Result<Value, PhoneError> {
    if reply["success"] == json!(true) {
        return Ok(reply["data"].take());
    }
    let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
    match reply["code"].as_u64() {
        Some(code) => Err(PhoneError::Refused {
            code,
            error: text("error"),
            message: text("message"),
            user_message: text("user_message"),
            details: reply["details"].clone(),
        }),
        None => Err(PhoneError::Network("the answer is not Axiam's".into())),
    }
}
