//! Links that are good once: they set a password (the owner's at the first start, a new account's, one that was
//! forgotten), or confirm an address. They are printed, shown, or sent by mail.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};

use self::row::Purpose;
use super::model::{self, AccountError};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    client::Email,
    platform::{
        clock::Moment,
        db,
        keys::Keyring,
        secret::{self, Secret},
    },
};

/// How long a link is good for.
pub const LIFE: TimeDelta = TimeDelta::days(3);

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_links")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        /// None: the first account, which is not there yet.
        pub account_id: Option<Uuid>,
        pub expires_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
        pub purpose: Purpose,
        /// Whoever uses it reads the mail of the account's address.
        pub is_mailed: bool,
        /// The address of an account that is not there yet, or that one is to have.
        pub email: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// What a link does.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Text")]
    pub enum Purpose {
        #[sea_orm(string_value = "password")]
        Password,
        #[sea_orm(string_value = "address")]
        Address,
        #[sea_orm(string_value = "new_address")]
        NewAddress,
    }
}

/// Whose a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// The first account's, which is not there yet.
    First,
    /// That of an account.
    Account(Uuid),
    /// That of whoever reads the mail of an address: their account is made by it.
    New(Email),
    /// That of an account which is to have this address.
    Moving(Uuid, Email),
}

/// A link that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Whose it is.
    pub(super) whose: Whose,
    /// Whether whoever has it reads the mail of the address.
    pub(super) is_mailed: bool,
}

/// The address at which a password is set by this token.
#[must_use]
pub fn join_address(public_url: &str, token: &Secret) -> String {
    format!("{public_url}/dashboard/join?token={}", token.reveal())
}

/// Offers a link, in the place of any that its account was offered before. The token is shown this once.
///
/// # Errors
/// When the database fails.
pub async fn offer(
    db: &DatabaseConnection,
    keys: &Keyring,
    account_id: Option<Uuid>,
    now: Moment,
) -> Result<Secret, DbErr> {
    let transaction = db::begin(db).await?;
    let token = offer_within(&transaction, keys, account_id, now).await?;
    transaction.commit().await?;
    Ok(token)
}

/// The same, in the transaction of what it is offered for.
pub(super) async fn offer_within(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    account_id: Option<Uuid>,
    now: Moment,
) -> Result<Secret, DbErr> {
    let token = Secret::generate("al_");
    if let Some(id) = account_id {
        withdraw(transaction, id).await?;
    }
    let link = row::ActiveModel {
        token_hash: Set(token.hash()),
        account_id: Set(account_id),
        expires_at: Set(now + LIFE),
        used_at: Set(None),
        purpose: Set(Purpose::Password),
        is_mailed: Set(false),
        email: Set(None),
    };
    row::Entity::insert(link)
        .exec_without_returning(transaction)
        .await?;
    let whose = account_id.map_or("the first account".to_owned(), |id| format!("account {id}"));
    record_offered(transaction, keys, whose, now).await?;
    Ok(token)
}

async fn record_offered(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    whose: String,
    now: Moment,
) -> Result<(), DbErr> {
    Entry::new(INSTALLATION, Action::AccountLinkOffered)
        .detail(whose)
        .record(transaction, keys, now)
        .await
}

/// A link for a letter.
pub(super) struct Mailed<'a> {
    /// The letter's id. The token is derived from it: a letter that is sent again holds the same link.
    pub(super) letter: Uuid,
    /// Whose it is.
    pub(super) whose: &'a Whose,
    /// Whether it sets a password, or else confirms the address.
    pub(super) sets_password: bool,
    /// Until when it is good.
    pub(super) until: Moment,
}

/// Offers a link by mail, beside any that were offered before: a stranger may ask for it, and must take none away.
/// `None` where it was used already.
pub(super) async fn mail(
    db: &DatabaseConnection,
    keys: &Keyring,
    mailed: Mailed<'_>,
    now: Moment,
) -> Result<Option<Secret>, DbErr> {
    let bytes = keys.derive_link_secret(mailed.letter);
    let token = Secret::from_text(&format!("al_{}", URL_SAFE_NO_PAD.encode(bytes)));
    let (account_id, email) = match mailed.whose {
        Whose::First => (None, None),
        Whose::Account(id) => (Some(*id), None),
        Whose::New(email) => (None, Some(email.as_str().to_owned())),
        Whose::Moving(id, email) => (Some(*id), Some(email.as_str().to_owned())),
    };
    let transaction = db::begin(db).await?;
    let known = row::Entity::find_by_id(token.hash())
        .one(&transaction)
        .await?;
    if let Some(known) = known {
        transaction.rollback().await?;
        return Ok(known.used_at.is_none().then_some(token));
    }
    let link = row::ActiveModel {
        token_hash: Set(token.hash()),
        account_id: Set(account_id),
        expires_at: Set(mailed.until),
        used_at: Set(None),
        purpose: Set(match mailed.whose {
            Whose::Moving(..) => Purpose::NewAddress,
            _ if mailed.sets_password => Purpose::Password,
            _ => Purpose::Address,
        }),
        is_mailed: Set(true),
        email: Set(email),
    };
    row::Entity::insert(link)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&transaction)
        .await?;
    let whose = account_id.map_or("a new account".to_owned(), |id| format!("account {id}"));
    record_offered(&transaction, keys, format!("{whose}, by mail"), now).await?;
    transaction.commit().await?;
    Ok(Some(token))
}

/// What a link that sets a password is, while it is good.
pub(super) async fn to_password(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<Link, AccountError> {
    find(db, token, Purpose::Password, now).await
}

/// Whose address a link confirms, while it is good.
pub(super) async fn to_address(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<Uuid, AccountError> {
    match find(db, token, Purpose::Address, now).await?.whose {
        Whose::Account(id) => Ok(id),
        _ => Err(AccountError::LinkInvalid),
    }
}

/// Which account a link gives which address, while it is good.
pub(super) async fn to_new_address(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<(Uuid, Email), AccountError> {
    match find(db, token, Purpose::NewAddress, now).await?.whose {
        Whose::Moving(id, email) => Ok((id, email)),
        _ => Err(AccountError::LinkInvalid),
    }
}

async fn find(
    db: &impl ConnectionTrait,
    token: &str,
    purpose: Purpose,
    now: Moment,
) -> Result<Link, AccountError> {
    let found = row::Entity::find_by_id(secret::hash(token))
        .filter(row::Column::Purpose.eq(purpose))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::ExpiresAt.gt(now))
        .one(db)
        .await?;
    let found = found.ok_or(AccountError::LinkInvalid)?;
    let whose = match (found.account_id, found.email) {
        (Some(id), None) => Whose::Account(id),
        (Some(id), Some(email)) => Whose::Moving(id, model::email(&email)?),
        (None, Some(email)) => Whose::New(model::email(&email)?),
        (None, None) => Whose::First,
    };
    Ok(Link {
        whose,
        is_mailed: found.is_mailed,
    })
}

/// Uses a link up; of two at once one succeeds.
pub(super) async fn spend(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<(), AccountError> {
    let spent = row::Entity::update_many()
        .col_expr(row::Column::UsedAt, Expr::value(Some(now)))
        .filter(row::Column::TokenHash.eq(secret::hash(token)))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    if spent.rows_affected == 1 {
        Ok(())
    } else {
        Err(AccountError::LinkInvalid)
    }
}

/// Makes the links of an account worth nothing: its password is known, or was just set. Those that were used stay
/// known until their end, so that a letter which is sent again brings none back.
pub(super) async fn withdraw(db: &impl ConnectionTrait, account_id: Uuid) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::AccountId.eq(account_id))
        .filter(row::Column::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets links that are too old.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}
