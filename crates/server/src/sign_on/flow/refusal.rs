//! What was refused, for the record.

use uuid::Uuid;

use crate::{
    audit::{Action, Entry},
    client::{Client, ClientError},
    face::FaceError,
    limit,
    platform::state::State,
    sign_on::model::{SignOn, SignOnError},
    site::Site,
};

/// Records that nobody was asked, and why. What a limit refused is recorded by the limit.
pub(in crate::sign_on) async fn record_refused_request(
    state: &State,
    site: &Site,
    client: &Client,
    error: &SignOnError,
) {
    let tells = matches!(
        error,
        SignOnError::NoDevice
            | SignOnError::Frozen { .. }
            | SignOnError::Face(FaceError::NotEnrolled)
            | SignOnError::Client(ClientError::Locked { .. } | ClientError::LockedPermanently)
    );
    if tells {
        let entry = Entry::new(site.id, Action::SignOnRefused)
            .client(client.id)
            .detail(error.to_string());
        let kind = std::mem::discriminant(error);
        limit::record_refusal(state, entry, format!("{} {kind:?}", client.id)).await;
    }
}

/// Records that a session token was brought which proves nothing, or not what it was brought for.
pub(super) async fn record_refused_redemption(
    state: &State,
    site: &Site,
    client_id: Uuid,
    sign_on: Option<&SignOn>,
    error: &SignOnError,
) {
    let entry = Entry::new(site.id, Action::RedemptionRefused)
        .client(client_id)
        .detail(error.to_string());
    // Another site's sign-on is nothing to tell this one.
    let own = sign_on.filter(|sign_on| sign_on.site_id == site.id);
    let entry = own.map_or(entry.clone(), |own| entry.sign_on(own.id));
    let subject = own.map_or(site.id, |own| own.id);
    limit::record_refusal(state, entry, subject).await;
}
