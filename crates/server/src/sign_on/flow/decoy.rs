//! Decoys: what a page is given in the place of a sign-on of somebody who cannot be asked, so that whoever types
//! addresses into a page does not learn who is known there. A decoy is a row like any other, and takes every step that
//! does not need a phone; no phone sees it, and no constraint of the database lets it prove anything.

use uuid::Uuid;

use crate::{
    client::{self, Client, ClientError, Email},
    platform::state::State,
    sign_on::model::SignOn,
    site::Site,
};

/// Who stands for an address that the site does not know: the same nobody each time, so that they can be asked as
/// seldom as a person.
pub(in crate::sign_on) fn nobody(state: &State, site: &Site, email: &Email) -> Client {
    let id: Uuid = state.keys.derive_stand_in(site.id, &email.key());
    Client::nobody(id, site.id, state.now())
}

/// Whom a sign-on was asked of: a client, or for a decoy perhaps nobody.
pub(super) async fn client_of(
    state: &State,
    site: &Site,
    sign_on: &SignOn,
) -> Result<Client, ClientError> {
    match client::find(&state.db, site, sign_on.client_id).await {
        Err(ClientError::NotFound) if sign_on.decoy => Ok(Client::nobody(
            sign_on.client_id,
            site.id,
            sign_on.created_at,
        )),
        found => found,
    }
}
