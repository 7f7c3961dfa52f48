//! What Google's answer means (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>).

use chrono::TimeDelta;
use serde::Deserialize;

use crate::{
    platform::{outbox::Fate, outgoing::Reply},
    push::attempt::{Attempt, Taught},
};

/// How long to wait where the quota is used up and Google does not say.
const QUOTA: TimeDelta = TimeDelta::seconds(60);

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    error: Error,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Error {
    status: String,
    message: String,
    details: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: String,
    field_violations: Vec<Violation>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Violation {
    field: String,
}

/// What is to be done about the token that let the message in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Keep,
    /// It was not taken: another one is to be asked for.
    Drop,
}

/// Reads an answer of `messages:send`.
pub(super) fn read(reply: &Reply) -> (Attempt, Pass) {
    if (200..300).contains(&reply.status) {
        return (
            Attempt::of(Fate::Delivered(reply.status.to_string())),
            Pass::Keep,
        );
    }
    let Error {
        status,
        message,
        details,
    } = serde_json::from_slice::<Failure>(&reply.body)
        .unwrap_or_default()
        .error;
    let mut codes = details.iter().map(|detail| detail.error_code.as_str());
    let code = codes.find(|code| !code.is_empty()).unwrap_or(&status);
    let said = match (code, message.as_str()) {
        ("", _) => reply.status.to_string(),
        (code, message) => format!("{} {code} {}", reply.status, brief(message))
            .trim_end()
            .to_owned(),
    };
    let refused = |taught| Attempt {
        fate: Fate::Refused(said.clone()),
        taught,
    };
    let later = |wait| Attempt::of(Fate::Later(said.clone(), wait));
    match (reply.status, code) {
        // The app was removed from the phone, or its token replaced.
        (_, "UNREGISTERED") => (refused(Taught::AppGone), Pass::Keep),
        // The message is the same for every phone but for the token, unless Google names another field.
        (400, "INVALID_ARGUMENT") if is_about_token(&details) => {
            (refused(Taught::AppGone), Pass::Keep)
        }
        (401, _) => (later(None), Pass::Drop),
        (429, _) => (later(reply.retry_after.or(Some(QUOTA))), Pass::Keep),
        // Rights of the account are given at Google's, perhaps a moment ago; another project's phone stays another's.
        (403, "SENDER_ID_MISMATCH") => (refused(Taught::Nothing), Pass::Keep),
        (403 | 408 | 500.., _) => (later(reply.retry_after), Pass::Keep),
        _ => (refused(Taught::Nothing), Pass::Keep),
    }
}

fn is_about_token(details: &[Detail]) -> bool {
    let mut fields = details.iter().flat_map(|detail| &detail.field_violations);
    fields.all(|violation| violation.field == "message.token")
}

/// The beginning of what somebody else wrote, on one line.
fn brief(text: &str) -> String {
    text.chars()
        .filter(|sign| !sign.is_control())
        .take(160)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, code: &str, more: &Value) -> (Attempt, Pass) {
        let kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
        let body = json!({ "error": {
            "code": status, "message": "said", "status": "OF_RPC",
            "details": [{ "@type": kind, "errorCode": code }, more],
        } });
        read(&Reply {
            status,
            retry_after: None,
            body: body.to_string().into_bytes(),
        })
    }

    #[test]
    fn a_phone_is_gone_only_where_its_token_is() {
        let nothing = json!({});
        let about = |field: &str| json!({ "fieldViolations": [{ "field": field, "description": "wrong" }] });
        for (status, code, more, taught) in [
            (404, "UNREGISTERED", &nothing, Taught::AppGone),
            (400, "INVALID_ARGUMENT", &nothing, Taught::AppGone),
            (
                400,
                "INVALID_ARGUMENT",
                &about("message.token"),
                Taught::AppGone,
            ),
            (
                400,
                "INVALID_ARGUMENT",
                &about("message.data[0].value"),
                Taught::Nothing,
            ),
            (403, "SENDER_ID_MISMATCH", &nothing, Taught::Nothing),
        ] {
            let (attempt, _) = answer(status, code, more);
            assert_eq!(attempt.taught, taught, "{code} {more}");
            assert!(matches!(attempt.fate, Fate::Refused(_)), "{code}");
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        for (status, code, wait) in [
            (429, "QUOTA_EXCEEDED", Some(QUOTA)),
            (500, "INTERNAL", None),
            (503, "UNAVAILABLE", None),
            (403, "PERMISSION_DENIED", None),
            (401, "THIRD_PARTY_AUTH_ERROR", None),
        ] {
            let (attempt, pass) = answer(status, code, &json!({}));
            let said = format!("{status} {code} said");
            assert_eq!(attempt.fate, Fate::Later(said, wait));
            assert_eq!(pass == Pass::Drop, status == 401);
        }
        let odd = Reply {
            status: 502,
            retry_after: Some(TimeDelta::seconds(3)),
            body: b"<html>".to_vec(),
        };
        let later = Fate::Later("502".into(), Some(TimeDelta::seconds(3)));
        assert_eq!(read(&odd).0.fate, later);
    }
}
