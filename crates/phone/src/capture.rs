//! An answer to a challenge: which photo was taken for which step and when, and the form it travels in.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt as _;
use serde_json::{Value, json};

use crate::album::Picked;

/// From one photo to the next.
pub(crate) const BETWEEN_SHOTS: Duration = Duration::from_millis(500);

/// What an answer says of these photos.
pub(crate) fn frames(picked: &[Picked]) -> Vec<Value> {
    let shots = picked.iter().enumerate();
    shots
        .map(|(index, (step, _))| {
            let at = BETWEEN_SHOTS.as_millis() as usize * index;
            json!({ "part": format!("frame{index}"), "step": step, "t_ms": at })
        })
        .collect()
}

/// The content type and the body of a form with `answer` and the photos that it names.
pub(crate) fn form(answer: &Value, photos: &[&[u8]]) -> (String, Vec<u8>) {
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
