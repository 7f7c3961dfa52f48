//! Erasing a client: one transaction, all of it or nothing.

use sea_orm::{DatabaseConnection, DbErr};
use thiserror::Error;
use uuid::Uuid;

use super::receipt::{By, Erased, Receipt};
use crate::{
    audit::{Action, Entry},
    client::{self, ClientError},
    device, enrolment, face,
    platform::{
        clock::Moment,
        db,
        keys::{KeyError, Keyring, Purpose},
        state::State,
    },
    push, sign_on,
    site::Site,
    webhook::{Message, Topic},
};

/// Why nothing was erased.
#[derive(Debug, Error)]
pub enum ErasureError {
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
pub struct Done {
    /// What it says.
    pub receipt: Receipt,
    /// The same, signed.
    pub signed: String,
}

/// Erases a client of this site. What stays is the record: that there was a consent and that it is
/// withdrawn, and the audit lines, which name the client by id alone.
///
/// # Errors
/// See [`ErasureError`].
pub async fn erase(
    state: &State,
    site: &Site,
    client_id: Uuid,
    by: By,
) -> Result<Done, ErasureError> {
    let means = Means::of(state);
    let (done, sign_ons) = erase_all(&means, site, client_id, by).await?;
    sign_ons.tell(state, site, client_id);
    Ok(done)
}

/// What erasing takes: a running server has it, and so has a command beside it.
pub struct Means<'a> {
    /// Where clients are.
    pub db: &'a DatabaseConnection,
    /// Sign receipts, and the log.
    pub keys: &'a Keyring,
    /// The address of the installation, whose receipt it is.
    pub public_url: String,
    /// The time.
    pub now: Moment,
}

impl<'a> Means<'a> {
    /// A running server's.
    #[must_use]
    pub fn of(state: &'a State) -> Self {
        Self {
            db: &state.db,
            keys: &state.keys,
            public_url: state.settings.public_url(),
            now: state.now(),
        }
    }
}

/// The same where there need be no server: pages that wait for the client are told nothing, and find that it is over when
/// they ask.
///
/// # Errors
/// See [`ErasureError`].
pub async fn erase_apart(
    means: &Means<'_>,
    site: &Site,
    client_id: Uuid,
    by: By,
) -> Result<Done, ErasureError> {
    Ok(erase_all(means, site, client_id, by).await?.0)
}

async fn erase_all(
    means: &Means<'_>,
    site: &Site,
    client_id: Uuid,
    by: By,
) -> Result<(Done, sign_on::Erased), ErasureError> {
    let (keys, now) = (means.keys, means.now);
    let key = keys.signing(means.db, Purpose::Receipts, now).await?;
    let transaction = db::begin(means.db).await?;
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
    let issuer = means.public_url.clone();
    let receipt = Receipt::new(issuer, (site.id, client_id), by, erased, now);
    let signed = receipt.sign(&key)?;
    Message::new(site.id, Topic::ClientErased, client_id)
        .receipt(receipt.jti)
        .enqueue(&transaction, now)
        .await?;
    Entry::new(site.id, Action::ClientErased)
        .client(client_id)
        .detail(format!("{}, receipt {}", by.as_str(), receipt.jti))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok((Done { receipt, signed }, sign_ons))
}
