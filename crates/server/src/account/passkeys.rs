//! Passkeys: keys in people's own devices and keyrings that sign an account in, after the device has verified them.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    QueryOrder, entity::prelude::*,
};

use super::{
    ceremony::{Assertion, CHALLENGE, RelyingParty, has_grown},
    flow,
    model::{Account, AccountError, PasskeyError},
    store,
};
use crate::{
    audit::{self, Action, Actor, Entry, INSTALLATION},
    limit::{self, Rule},
    platform::{clock::Moment, db, keys::Keyring, network::Network, state::State},
};

pub use self::row::Model as Passkey;

/// Most passkeys of one account.
const MOST: usize = 10;

/// Most characters of a passkey's name.
const LONGEST_NAME: usize = 60;

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    /// A passkey of an account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "passkeys")]
    pub struct Model {
        /// As its authenticator finds it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        /// Whose it is.
        pub account_id: Uuid,
        /// Its public half (SEC 1).
        pub public_key: Vec<u8>,
        /// How often it has signed, if it counts.
        pub counter: i64,
        /// As its owner calls it.
        pub name: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it signed in last.
        pub used_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A challenge for an authenticator to answer.
#[must_use]
pub fn passkey_challenge() -> [u8; CHALLENGE] {
    use rand::RngExt as _;
    rand::rng().random()
}

/// What a page brings from an authenticator that has made a key.
pub struct Registration<'a> {
    /// What the browser says, as JSON.
    pub client_data: &'a [u8],
    /// What the authenticator says.
    pub authenticator_data: &'a [u8],
    /// As its owner calls it.
    pub name: &'a str,
}

/// What a page brings from an authenticator that has signed.
pub struct Answer<'a> {
    /// Which passkey it was.
    pub id: &'a [u8],
    /// What the browser says, as JSON.
    pub client_data: &'a [u8],
    /// What the authenticator says.
    pub authenticator_data: &'a [u8],
    /// Its signature over both.
    pub signature: &'a [u8],
}

/// The passkeys of an account, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn passkeys(db: &impl ConnectionTrait, account: &Account) -> Result<Vec<Passkey>, DbErr> {
    row::Entity::find()
        .filter(row::Column::AccountId.eq(account.id))
        .order_by_asc(row::Column::CreatedAt)
        .all(db)
        .await
}

/// Lets an account's owner make a passkey, if they know its password.
///
/// # Errors
/// [`AccountError::WrongPassword`], or that there are too many.
pub async fn may_make_passkey(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<Vec<Passkey>, AccountError> {
    flow::prove(state, account, present).await?;
    let known = passkeys(&state.db, account).await?;
    if known.len() >= MOST {
        return Err(
            PasskeyError::NotAdded("Ten passkeys are the most. Take one away first.").into(),
        );
    }
    Ok(known)
}

/// Adds a passkey that was made for this challenge.
///
/// # Errors
/// [`PasskeyError`] says why it was not.
pub async fn add_passkey(
    state: &State,
    account: &Account,
    (party, challenge): (&RelyingParty, &[u8]),
    made: &Registration<'_>,
) -> Result<(), AccountError> {
    let key = party
        .made(challenge, made.client_data, made.authenticator_data)
        .map_err(PasskeyError::from)?;
    let (now, name) = (state.now(), made.name.trim());
    let name: String = match name {
        "" => "Passkey".to_owned(),
        name => name.chars().take(LONGEST_NAME).collect(),
    };
    let transaction = db::begin(&state.db).await?;
    if passkeys(&transaction, account).await?.len() >= MOST {
        return Err(
            PasskeyError::NotAdded("Ten passkeys are the most. Take one away first.").into(),
        );
    }
    let row = row::ActiveModel {
        id: Set(key.id),
        account_id: Set(account.id),
        public_key: Set(key.key),
        counter: Set(key.counter.into()),
        name: Set(name),
        created_at: Set(now),
        used_at: Set(None),
    };
    match row::Entity::insert(row)
        .exec_without_returning(&transaction)
        .await
    {
        Err(error) if db::is_duplicate(&error) => {
            return Err(PasskeyError::NotAdded("This passkey is in use already.").into());
        }
        outcome => outcome?,
    };
    flow::tell(state, &transaction, account, "a passkey was added").await?;
    Entry::new(INSTALLATION, Action::PasskeyAdded)
        .detail(format!("account {}", account.id))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes one of an account's passkeys away.
///
/// # Errors
/// [`AccountError::WrongPassword`] where the password is wrong.
pub async fn remove_passkey(
    state: &State,
    account: &Account,
    (present, id): (&str, &[u8]),
) -> Result<(), AccountError> {
    flow::prove(state, account, present).await?;
    let transaction = db::begin(&state.db).await?;
    let gone = row::Entity::delete_by_id(id)
        .filter(row::Column::AccountId.eq(account.id))
        .exec(&transaction)
        .await?;
    if gone.rows_affected == 1 {
        flow::tell(state, &transaction, account, "a passkey was taken away").await?;
        record_removed(&transaction, &state.keys, (account, 1), state.now()).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Takes all passkeys of an account away, for whoever runs the installation. How many.
///
/// # Errors
/// When the database fails.
pub async fn take_passkeys_back(
    db: &DatabaseConnection,
    keys: &Keyring,
    account: &Account,
    now: Moment,
) -> Result<u64, DbErr> {
    let transaction = db::begin(db).await?;
    let gone = row::Entity::delete_many()
        .filter(row::Column::AccountId.eq(account.id))
        .exec(&transaction)
        .await?;
    if gone.rows_affected > 0 {
        record_removed(&transaction, keys, (account, gone.rows_affected), now).await?;
    }
    transaction.commit().await?;
    Ok(gone.rows_affected)
}

async fn record_removed(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    (account, count): (&Account, u64),
    now: Moment,
) -> Result<(), DbErr> {
    Entry::new(INSTALLATION, Action::PasskeyRemoved)
        .detail(format!("{count} of account {}", account.id))
        .record(transaction, keys, now)
        .await
}

/// The account of whoever's passkey answers a challenge. The challenge is used up by whoever calls this.
///
/// # Errors
/// [`AccountError::Refused`] where it proves nobody.
pub async fn sign_in_by_passkey(
    state: &State,
    caller: Network,
    (party, challenge): (&RelyingParty, &[u8]),
    answer: &Answer<'_>,
) -> Result<Account, AccountError> {
    limit::check(state, Rule::SignInByIp, caller).await?;
    match proven(state, (party, challenge), answer).await? {
        Some(account) => Ok(account),
        None => {
            let entry = Entry::new(INSTALLATION, Action::AccountRefused).detail("by a passkey");
            limit::record_refusal(state, entry, caller).await;
            Err(AccountError::Refused)
        }
    }
}

async fn proven(
    state: &State,
    (party, challenge): (&RelyingParty, &[u8]),
    answer: &Answer<'_>,
) -> Result<Option<Account>, AccountError> {
    let known = row::Entity::find_by_id(answer.id).one(&state.db).await?;
    let Some(known) = known else { return Ok(None) };
    let assertion = Assertion {
        client_data: answer.client_data,
        authenticator_data: answer.authenticator_data,
        signature: answer.signature,
    };
    let shown = match party.shown(challenge, &assertion, &known.public_key) {
        Ok(counter) => counter,
        Err(why) => {
            tracing::info!(%why, "a passkey was refused");
            return Ok(None);
        }
    };
    let kept = u32::try_from(known.counter).unwrap_or(u32::MAX);
    if !has_grown(kept, shown) {
        tracing::warn!(account = %known.account_id, "a passkey's counter does not grow: there may be a copy of it");
        return Ok(None);
    }
    let Some(account) = store::find(&state.db, known.account_id).await? else {
        return Ok(None);
    };
    let now = state.now();
    audit::proven(Actor::Account(account.id), INSTALLATION);
    let transaction = db::begin(&state.db).await?;
    // Of two answers at once with one counter, one counts.
    let counted = row::Entity::update_many()
        .set(row::ActiveModel {
            counter: Set(shown.into()),
            used_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(known.id))
        .filter(row::Column::Counter.eq(known.counter))
        .exec(&transaction)
        .await?;
    if counted.rows_affected != 1 {
        transaction.rollback().await?;
        return Ok(None);
    }
    Entry::new(INSTALLATION, Action::AccountSignedIn)
        .detail("by a passkey")
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(Some(account))
}
