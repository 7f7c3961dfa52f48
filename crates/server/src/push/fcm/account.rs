//! Service accounts in the database, sealed: one for the installation, and one for each site that brings its own.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    entity::prelude::*,
};
use zeroize::Zeroizing;

use super::key_file::{AccountError, KeyFile};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    platform::{
        clock::Moment,
        db,
        keys::{Keyring, Unsealable},
    },
};

pub use row::Model as Account;

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    /// A service account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "fcm_accounts")]
    pub struct Model {
        /// The site whose it is; the nil id: the installation's.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: Uuid,
        /// Whose phones it wakes.
        pub project_id: String,
        /// Names it at Google.
        pub client_email: String,
        /// Names its key at Google.
        pub key_id: String,
        /// The file, sealed.
        pub sealed: Vec<u8>,
        /// When it was brought.
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn about(scope: Uuid) -> Vec<u8> {
    [b"axiam fcm service account".as_slice(), scope.as_bytes()].concat()
}

impl Account {
    /// The site whose it is; the installation's has none.
    #[must_use]
    pub fn site_id(&self) -> Option<Uuid> {
        (self.scope != INSTALLATION).then_some(self.scope)
    }

    /// The file, opened.
    pub(super) fn open(&self, keys: &Keyring) -> Result<KeyFile, AccountError> {
        let key = keys.outgoing_key().sealing()?;
        let plain = key.open(&about(self.scope), &self.sealed)?;
        serde_json::from_slice(&plain).map_err(|_| AccountError::Sealed(Unsealable))
    }
}

/// Brings a service account, in the place of the one before; without a site for the installation.
///
/// # Errors
/// When it cannot be sealed or the database fails.
pub async fn set_account(
    (db, keys): (&DatabaseConnection, &Keyring),
    site_id: Option<Uuid>,
    file: &KeyFile,
    now: Moment,
) -> Result<(), AccountError> {
    let scope = site_id.unwrap_or(INSTALLATION);
    let plain = Zeroizing::new(
        serde_json::to_vec(file).map_err(|error| AccountError::File(error.to_string()))?,
    );
    let sealed = keys.outgoing_key().sealing()?.seal(&about(scope), &plain)?;
    let transaction = db::begin(db).await?;
    row::Entity::delete_by_id(scope).exec(&transaction).await?;
    row::Entity::insert(row::ActiveModel {
        scope: Set(scope),
        project_id: Set(file.project_id.clone()),
        client_email: Set(file.client_email.clone()),
        key_id: Set(file.private_key_id.clone()),
        sealed: Set(sealed),
        created_at: Set(now),
    })
    .exec_without_returning(&transaction)
    .await?;
    Entry::new(scope, Action::PushAccountSet)
        .detail(format!(
            "{}, key {}",
            file.client_email, file.private_key_id
        ))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes a service account away; what it could do it can do no more from here.
///
/// # Errors
/// [`AccountError::NotFound`] where there is none.
pub async fn remove_account(
    (db, keys): (&DatabaseConnection, &Keyring),
    site_id: Option<Uuid>,
    now: Moment,
) -> Result<(), AccountError> {
    let scope = site_id.unwrap_or(INSTALLATION);
    let transaction = db::begin(db).await?;
    let gone = row::Entity::delete_by_id(scope).exec(&transaction).await?;
    if gone.rows_affected == 0 {
        transaction.rollback().await?;
        return Err(AccountError::NotFound);
    }
    Entry::new(scope, Action::PushAccountRemoved)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Every service account, the installation's first.
///
/// # Errors
/// When the database fails.
pub async fn accounts(db: &impl ConnectionTrait) -> Result<Vec<Account>, DbErr> {
    row::Entity::find()
        .order_by_asc(row::Column::Scope)
        .all(db)
        .await
}

/// By which a site's phones are woken: its own service account, else the installation's.
///
/// # Errors
/// When the database fails.
pub async fn account_for(
    db: &impl ConnectionTrait,
    site_id: Uuid,
) -> Result<Option<Account>, DbErr> {
    // The nil id is the lowest.
    row::Entity::find()
        .filter(row::Column::Scope.is_in([site_id, INSTALLATION]))
        .order_by_desc(row::Column::Scope)
        .one(db)
        .await
}
