//! What a phone can do, by the phone's routes, as an app would.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    album::{Album, Picked},
    call::Caller,
    capture::{BETWEEN_SHOTS, form, frames},
    clock::Clock,
    error::PhoneError,
    key::Key,
    link,
    pairing::Pairing,
};

/// A phone that is paired.
pub struct Phone {
    pairing: Pairing,
    key: Key,
    http: Client,
    clock: Arc<dyn Clock>,
    sent: Mutex<Vec<[u8; 32]>>,
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
        Self::pair_without(link, server, name, &[], clock).await
    }

    /// The same for a person who cannot do these actions of a challenge.
    ///
    /// # Errors
    /// When the server does not accept it, also because the actions leave no challenge.
    pub async fn pair_without(
        link: &str,
        server: &str,
        name: &str,
        without: &[String],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        let (server, token) = link::split(link, server)?;
        let key = Key::generate();
        let body = json!({
            "enrollment_token": token, "name": name, "platform": "web",
            "push": { "kind": "none" }, "without": without,
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
        let pairing = Pairing {
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
            pairing,
            key,
            http: Client::new(),
            clock,
            sent: Mutex::default(),
        })
    }

    /// A phone that was paired before.
    ///
    /// # Errors
    /// When its key cannot be read.
    pub fn wake(pairing: Pairing, clock: Arc<dyn Clock>) -> Result<Self, PhoneError> {
        Ok(Self {
            key: Key::from_pem(&pairing.key)?,
            pairing,
            http: Client::new(),
            clock,
            sent: Mutex::default(),
        })
    }

    /// What it must remember to go on after a restart.
    #[must_use]
    pub fn pairing(&self) -> &Pairing {
        &self.pairing
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            http: self.http.clone(),
            server: self.pairing.server.clone(),
            clock: self.clock.as_ref(),
            key: &self.key,
            token: Some(&self.pairing.device_token),
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

    /// Accepts another phone of the person as theirs.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn confirm(&self, device_id: Uuid) -> Result<(), PhoneError> {
        let path = format!("/device/{device_id}/confirm");
        self.call(&path, &json!({})).await?;
        Ok(())
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
        self.enrol_from(&Album::InOrder(photos.to_vec())).await
    }

    /// The same with photos from an album.
    ///
    /// # Errors
    /// What the server answers, and when no photo shows what is asked for.
    pub async fn enrol_from(&self, album: &Album) -> Result<(), PhoneError> {
        let challenge = self.call("/device/challenge", &json!({})).await?;
        let picked = album.pick(&challenge)?;
        let answer = json!({
            "nonce": challenge["nonce"],
            "consent_version": self.pairing.consent_version,
            "frames": self.pose(&picked).await,
        });
        self.send("/device/facial", &answer, &picked).await?;
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

    /// Sign-ons of the person that are over, the newest first.
    ///
    /// # Errors
    /// What the server answers.
    pub async fn recent(&self) -> Result<Vec<Value>, PhoneError> {
        let over = self.caller().get("/login/recent", "").await?;
        Ok(over["sign_ons"].as_array().cloned().unwrap_or_default())
    }

    /// Scans: takes the sign-on up and answers its challenge with `photos`. No error means verified.
    ///
    /// # Errors
    /// What the server answers, also where the face does not match.
    pub async fn scan(
        &self,
        sign_on_id: Uuid,
        number: Option<i32>,
        photos: &[Vec<u8>],
    ) -> Result<(), PhoneError> {
        let album = Album::InOrder(photos.to_vec());
        self.scan_from(sign_on_id, number, &album).await
    }

    /// The same with photos from an album.
    ///
    /// # Errors
    /// What the server answers, and when no photo shows what is asked for.
    pub async fn scan_from(
        &self,
        sign_on_id: Uuid,
        number: Option<i32>,
        album: &Album,
    ) -> Result<(), PhoneError> {
        let challenge = self
            .call("/login/challenge", &json!({ "sign_on_id": sign_on_id }))
            .await?;
        let picked = album.pick(&challenge)?;
        let answer = json!({
            "sign_on_id": sign_on_id,
            "nonce": challenge["nonce"],
            "number": number,
            "frames": self.pose(&picked).await,
        });
        self.send("/login/verify_token", &answer, &picked).await?;
        Ok(())
    }

    fn note(&self, photos: &[&[u8]]) {
        let digest = |photo: &&[u8]| <[u8; 32]>::from(Sha256::digest(photo));
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.extend(photos.iter().map(digest));
    }

    /// SHA-256 of each photo from an album that the server looked at, also where it refused the answer: it takes none twice.
    pub fn sent(&self) -> Vec<[u8; 32]> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.clone()
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
    async fn pose(&self, picked: &[Picked<'_>]) -> Vec<Value> {
        let shots = u32::try_from(picked.len()).unwrap_or(u32::MAX);
        self.clock
            .pass(BETWEEN_SHOTS * shots.saturating_sub(1))
            .await;
        frames(picked)
    }

    async fn send(
        &self,
        path: &str,
        answer: &Value,
        picked: &[Picked<'_>],
    ) -> Result<Value, PhoneError> {
        let photos: Vec<&[u8]> = picked.iter().map(|(_, photo)| *photo).collect();
        let (content_type, body) = form(answer, &photos);
        let caller = self.caller();
        let answered = caller.send(Method::POST, path, "", &content_type, body);
        let answered = answered.await;
        if may_be_known(&answered) {
            self.note(&photos);
        }
        answered
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
        let photos: Vec<&[u8]> = photos.iter().map(Vec::as_slice).collect();
        let (content_type, body) = form(answer, &photos);
        self.caller()
            .send(Method::POST, path, "", &content_type, body)
            .await
    }
}

/// Whether the server may know the photos of an answer from now on: it says nothing of them, or that it compared them.
fn may_be_known(answered: &Result<Value, PhoneError>) -> bool {
    /// `face_mismatch`, `liveness_failed` and `number_mismatch`.
    const COMPARED: [u64; 3] = [1036, 1037, 1042];
    match answered {
        Err(PhoneError::Refused { code, .. }) => COMPARED.contains(code),
        _ => true,
    }
}
