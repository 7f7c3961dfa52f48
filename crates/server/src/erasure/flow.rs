//! Erasing a client: one transaction, all of it or nothing.

use sea_orm::DbErr;
use thiserror::Error;
use uuid::Uuid;

use super::receipt::{By, Erased, Receipt};
use crate::{
    audit::{Action, Entry},
    client::{self, ClientError},
    device, enrolment, face,
    platform::{
        db,
        keys::{KeyError, Purpose},
        state::State,
    },
    push, sign_on,
    site::Site,
    webhook::{Message, Topic},
};

/// Why nothing was erased.
#[derive(Debug, Error)]
pub(super) enum ErasureError {
    /// There is no such client on this site.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The receipt could not be signed.
    #[error("cannot sign the receipt: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// The key that signs cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// What is handed out.
pub(super) struct Done {
    pub(super) receipt: Receipt,
    pub(super) signed: String,
}

/// Erases a client of this site. What stays is the record: that there was a consent and that it is
/// withdrawn, and the audit lines, which name the client by id alone.
pub(super) async fn erase(
    state: &State,
    site: &Site,
    client_id: Uuid,
    by: By,
) -> Result<Done, ErasureError> {
    let now = state.now();
    let key = state
        .keys
        .signing(&state.db, Purpose::Receipts, now)
        .await?;
    let transaction = db::begin(&state.db).await?;
    client::hold(&transaction, site.id, client_id).await?;
    let devices = device::ids(&transaction, site.id, client_id).await?;
    push::erase(&transaction, site.id, &devices).await?;
    let sign_ons = sign_on::erase(&transaction, site.id, client_id).await?;
    let erased = Erased {
        face_references: face::erase(&transaction, site.id, client_id, now).await?,
        sign_ons: sign_ons.count,
        devices: device::erase(&transaction, site.id, client_id).await?,
    };
    enrolment::erase(&transaction, site.id, client_id).await?;
    client::erase(&transaction, site.id, client_id).await?;
    let issuer = state.settings.public_url();
    let receipt = Receipt::new(issuer, (site.id, client_id), by, erased, now);
    let signed = receipt.sign(&key)?;
    Message::new(site.id, Topic::ClientErased, client_id)
        .receipt(receipt.jti)
        .enqueue(&transaction, now)
        .await?;
    Entry::new(site.id, Action::ClientErased)
        .client(client_id)
        .detail(format!("{}, receipt {}", by.as_str(), receipt.jti))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    sign_ons.tell(state, site, client_id);
    Ok(Done { receipt, signed })
}
