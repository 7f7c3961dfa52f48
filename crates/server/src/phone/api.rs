//! The phone routes, called as an app would.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt as _;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    error::PhoneError,
    file::Memory,
    key::{Key, Request, content_digest},
};
use crate::{app::API, platform::clock::Clock};

/// What became of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// The person was recognised.
    Verified,
}

impl fmt::Display for Scanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("verified")
    }
}

/// A phone that is paired.
pub struct Phone {
    memory: Memory,
    key: Key,
    http: Client,
    clock: Arc<dyn Clock>,
}

impl Phone {
    /// Pairs a new phone by what its QR code says: a link, or the token alone for `server`.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub async fn pair(
        link: &str,
        server: &str,
        name: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        let (server, token) = split_link(link, server)?;
        let key = Key::generate();
        let body = json!({
            "enrollment_token": token, "name": name, "platform": "web",
            "push": { "kind": "none" },
        });
        let caller = Caller {
            http: Client::new(),
            server: server.clone(),
            clock: clock.as_ref(),
            key: &key,
            token: None,
        };
        let paired = caller.json("/device/register", &body).await?;
        let text = |path: &str| {
            let value = paired.pointer(path).and_then(Value::as_str);
            value
                .map(str::to_owned)
                .ok_or_else(|| PhoneError::Network(format!("the answer has no {path}")))
        };
        let id = |path: &str| {
            text(path)?
                .parse()
                .map_err(|_| PhoneError::Network(format!("{path} is no UUID")))
        };
        let memory = Memory {
            server,
            key: key.to_pem()?.to_string(),
            device_token: text("/device_token")?,
            device_id: id("/device_id")?,
            client_id: id("/client_id")?,
            domain: text("/site/domain")?,
            consent_version: text("/consent/version")?,
            consent_text: text("/consent/text")?,
        };
        Ok(Self {
            memory,
            key,
            http: Client::new(),
            clock,
        })
    }

    /// A phone that was paired before.
    ///
    /// # Errors
    /// When its key cannot be read.
    pub fn wake(memory: Memory, clock: Arc<dyn Clock>) -> Result<Self, PhoneError> {
        Ok(Self {
            key: Key::from_pem(&memory.key)?,
            memory,
            http: Client::new(),
            clock,
        })
    }

    /// What it remembers.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            http: self.http.clone(),
            server: self.memory.server.clone(),
            clock: self.clock.as_ref(),
            key: &self.key,
            token: Some(&self.memory.device_token),
        }
    }

    /// Calls a route with a JSON body, as an app would: signed and with the token.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn call(&self, path: &str, body: &Value) -> Result<Value, PhoneError> {
        self.caller().json(path, body).await
    }

    /// What the server knows of this phone and its person: above all whether a face is enrolled.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn device(&self) -> Result<Value, PhoneError> {
        self.caller().get("/device", "").await
    }

    /// Unpairs one of the person's phones, this one or another.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn unpair(&self, device_id: Uuid) -> Result<(), PhoneError> {
        let path = format!("/device/{device_id}");
        self.caller().delete(&path).await?;
        Ok(())
    }

    /// Erases everything that the site knows of the person: what is gone, and the signed receipt.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn erase(&self) -> Result<Value, PhoneError> {
        self.caller().delete("/client").await
    }

    /// Enrols the face in `photos`, agreeing to the consent text that the server showed.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn enrol(&self, photos: &[Vec<u8>]) -> Result<(), PhoneError> {
        let challenge = self.call("/device/challenge", &json!({})).await?;
        let answer = json!({
            "nonce": challenge["nonce"],
            "consent_version": self.memory.consent_version,
            "frames": self.pose(&challenge, photos.len()).await,
        });
        self.answer("/device/facial", &answer, photos).await?;
        Ok(())
    }

    /// Sign-ons that wait; where there is none, waits up to `wait` seconds for one.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn pending(&self, wait: u32) -> Result<Vec<Value>, PhoneError> {
        let inbox = self
            .caller()
            .get("/login/pending", &format!("wait={wait}"))
            .await?;
        Ok(inbox["sign_ons"].as_array().cloned().unwrap_or_default())
    }

    /// Scans: takes the sign-on up and answers its challenge with `photos`.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn scan(
        &self,
        sign_on_id: Uuid,
        number: Option<i32>,
        photos: &[Vec<u8>],
    ) -> Result<Scanned, PhoneError> {
        let challenge = self
            .call("/login/challenge", &json!({ "sign_on_id": sign_on_id }))
            .await?;
        let answer = json!({
            "sign_on_id": sign_on_id,
            "nonce": challenge["nonce"],
            "number": number,
            "frames": self.pose(&challenge, photos.len()).await,
        });
        self.answer("/login/verify_token", &answer, photos).await?;
        Ok(Scanned::Verified)
    }

    /// Says no; with `report`, also that it was not this person who asked.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn deny(&self, sign_on_id: Uuid, report: bool) -> Result<(), PhoneError> {
        let body = json!({ "sign_on_id": sign_on_id, "report": report });
        self.call("/login/deny", &body).await?;
        Ok(())
    }

    /// Lets the time pass that a person takes for these photos, and says when each was taken.
    async fn pose(&self, challenge: &Value, count: usize) -> Vec<Value> {
        let shots = u32::try_from(count).unwrap_or(u32::MAX);
        self.clock
            .pass(BETWEEN_SHOTS * shots.saturating_sub(1))
            .await;
        frames(challenge, count)
    }

    /// Sends an answer and its photos as a form.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn answer(
        &self,
        path: &str,
        answer: &Value,
        photos: &[Vec<u8>],
    ) -> Result<Value, PhoneError> {
        let (content_type, body) = form(answer, photos);
        self.caller()
            .send(Method::POST, path, "", &content_type, body)
            .await
    }
}

/// From one photo to the next.
const BETWEEN_SHOTS: Duration = Duration::from_millis(500);

/// Frames for the photos, spread over the challenge's steps in their order.
fn frames(challenge: &Value, count: usize) -> Vec<Value> {
    let steps = challenge["steps"].as_array().map_or(0, Vec::len).max(1);
    (0..count)
        .map(|index| {
            let step = &challenge["steps"][index * steps / count.max(1)]["id"];
            let at = BETWEEN_SHOTS.as_millis() as usize * index;
            json!({ "part": format!("frame{index}"), "step": step, "t_ms": at })
        })
        .collect()
}

fn form(answer: &Value, photos: &[Vec<u8>]) -> (String, Vec<u8>) {
    let boundary = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 18]>());
    let mut body = Vec::new();
    let mut part = |head: String, content: &[u8]| {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    part(
        "Content-Disposition: form-data; name=\"answer\"\r\nContent-Type: application/json".into(),
        answer.to_string().as_bytes(),
    );
    for (index, photo) in photos.iter().enumerate() {
        let name = format!("frame{index}");
        part(
            format!(
                "Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream"
            ),
            photo,
        );
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// The server and the enrolment token in what a QR code says.
fn split_link(link: &str, server: &str) -> Result<(String, String), PhoneError> {
    let wrong = || PhoneError::Link(link.to_owned());
    if !link.contains("://") {
        let server = server.trim_end_matches('/').to_owned();
        let plain = !link.is_empty() && !link.contains(['/', '#', ' ']);
        return plain.then(|| (server, link.to_owned())).ok_or_else(wrong);
    }
    let url = Url::parse(link).map_err(|_| wrong())?;
    let token = url
        .fragment()
        .filter(|token| !token.is_empty())
        .ok_or_else(wrong)?;
    let base = url.path().strip_suffix("/phone/").ok_or_else(wrong)?;
    Ok((
        format!("{}{base}", url.origin().ascii_serialization()),
        token.to_owned(),
    ))
}

/// One signed call.
struct Caller<'c> {
    http: Client,
    server: String,
    clock: &'c dyn Clock,
    key: &'c Key,
    token: Option<&'c str>,
}

impl Caller<'_> {
    async fn json(&self, path: &str, body: &Value) -> Result<Value, PhoneError> {
        let body = body.to_string().into_bytes();
        self.send(Method::POST, path, "", "application/json", body)
            .await
    }

    async fn delete(&self, path: &str) -> Result<Value, PhoneError> {
        let body = b"{}".to_vec();
        self.send(Method::DELETE, path, "", "application/json", body)
            .await
    }

    async fn get(&self, path: &str, query: &str) -> Result<Value, PhoneError> {
        self.send(Method::GET, path, query, "", Vec::new()).await
    }

    async fn send(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_server_and_token() {
        let split = |link: &str| split_link(link, "http://here:1/").ok();
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(
            split("https://a.example/phone/#et_x"),
            pair("https://a.example", "et_x")
        );
        assert_eq!(
            split("https://a.example/in/phone/#et_x"),
            pair("https://a.example/in", "et_x")
        );
        assert_eq!(split("et_x"), pair("http://here:1", "et_x"));
        for wrong in [
            "",
            "https://a.example/phone/",
            "https://a.example/#et_x",
            "a b",
            "a/b",
        ] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
