//! What Google is given to pass on.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::{
    platform::{clock::Moment, outbox::Parcel},
    push::message::Told,
};

/// The body of `messages:send`. Android gets data alone, at once and for as long as it is of use, so that the app says it in
/// the phone's language; iOS shows an alert by itself, which the app may say anew. No number, and nothing that answers.
pub(super) fn body(parcel: &Parcel, told: &Told, token: &str, now: Moment) -> Value {
    let left = (parcel.expires_at - now).num_seconds().max(0);
    let subject = parcel.subject_id.to_string();
    let ends = parcel.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({ "message": {
        "token": token,
        // Texts, all of them: other values are refused.
        "data": {
            "topic": parcel.topic,
            "sign_on_id": subject,
            "device_id": parcel.target_id,
            "site_name": told.site.name,
            "site_domain": told.site.domain,
            "expires_at": ends,
        },
        "android": { "priority": "HIGH", "collapse_key": subject, "ttl": format!("{left}s") },
        "apns": {
            "headers": {
                "apns-push-type": "alert",
                "apns-priority": "10",
                "apns-expiration": parcel.expires_at.timestamp().to_string(),
                "apns-collapse-id": subject,
            },
            "payload": { "aps": {
                "alert": { "title": told.notification.title, "body": told.notification.body },
                "sound": "default",
                "mutable-content": 1,
                "interruption-level": "time-sensitive",
            } },
        },
        "webpush": { "headers": { "TTL": left.to_string(), "Urgency": "high", "Topic": parcel.subject_id.simple().to_string() } },
    } })
}
