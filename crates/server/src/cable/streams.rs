//! Names of streams. All of a site's begin with its `channel_prefix` and a colon.

use uuid::Uuid;

/// What happens to one sign-on.
pub(super) fn sign_on(channel_prefix: &str, sign_on_id: Uuid) -> String {
    format!("{channel_prefix}:sign_on:{sign_on_id}")
}

/// What happens to one client's devices and face.
pub(super) fn device(channel_prefix: &str, client_id: Uuid) -> String {
    format!("{channel_prefix}:device:{client_id}")
}

/// Which sign-ons wait for one client.
pub(super) fn inbox(channel_prefix: &str, client_id: Uuid) -> String {
    format!("{channel_prefix}:inbox:{client_id}")
}
