//! Recovery codes: ten that sign an account in, once each, for whoever has lost everything else. They are shown once;
//! the database keeps hashes.

use rand::RngExt as _;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    entity::prelude::*, sea_query::Expr,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    flow,
    model::{Account, AccountError},
    sign_in::named,
};
use crate::{
    audit::{self, Action, Actor, Entry, INSTALLATION},
    limit,
    platform::{clock::Moment, db, keys::Keyring, network::Network, secret, state::State},
};

/// How many are made at a time.
const COUNT: usize = 10;

/// Characters of a code, of five bits each: eighty, so that a plain hash keeps them.
const LENGTH: usize = 16;

/// Crockford's base32: letters and digits of which none is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "recovery_codes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code_hash: Vec<u8>,
        pub account_id: Uuid,
        pub created_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Draws a code: four groups of four.
fn draw() -> Zeroizing<String> {
    let mut random = rand::rng();
    let mut code = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / 4));
    for at in 0..LENGTH {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[random.random_range(0..ALPHABET.len())]));
    }
    code
}

/// What is kept of a code, as somebody types it: in any case, with any gaps, and with the letters that look like digits.
/// It is of one account.
fn hash(account_id: Uuid, typed: &str) -> Vec<u8> {
    let plain = typed.chars().filter(char::is_ascii_alphanumeric);
    let read = plain
        .take(LENGTH + 1)
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        });
    let text: Zeroizing<String> = Zeroizing::new(read.collect());
    secret::hash(&format!("recovery code {account_id} {}", *text))
}

/// How many codes of an account are good.
///
/// # Errors
/// When the database fails.
pub async fn codes_left(db: &DatabaseConnection, account: &Account) -> Result<u64, DbErr> {
    let good = row::Entity::find()
        .filter(row::Column::AccountId.eq(account.id))
        .filter(row::Column::UsedAt.is_null());
    good.count(db).await
}

/// Makes codes, in the place of all before. They are shown this once.
///
/// # Errors
/// [`AccountError::WrongPassword`] where the password is wrong.
pub async fn make_codes(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<Vec<Zeroizing<String>>, AccountError> {
    flow::prove(state, account, present).await?;
    let codes: Vec<_> = (0..COUNT).map(|_| draw()).collect();
    replace(state, account, &codes).await?;
    Ok(codes)
}

/// Takes all codes of an account back.
///
/// # Errors
/// [`AccountError::WrongPassword`] where the password is wrong.
pub async fn drop_codes(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<(), AccountError> {
    flow::prove(state, account, present).await?;
    replace(state, account, &[]).await
}

/// Takes all codes of an account back, for whoever runs the installation.
///
/// # Errors
/// When the database fails.
pub async fn take_codes_back(
    db: &DatabaseConnection,
    keys: &Keyring,
    account: &Account,
    now: Moment,
) -> Result<(), DbErr> {
    let transaction = db::begin(db).await?;
    forget(&transaction, account).await?;
    record(&transaction, keys, (account, 0), now).await?;
    transaction.commit().await
}

async fn forget(db: &impl ConnectionTrait, account: &Account) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::AccountId.eq(account.id))
        .exec(db)
        .await?;
    Ok(())
}

async fn record(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    (account, count): (&Account, usize),
    now: Moment,
) -> Result<(), DbErr> {
    Entry::new(INSTALLATION, Action::RecoveryCodesMade)
        .detail(format!("{count} for account {}", account.id))
        .record(transaction, keys, now)
        .await
}

async fn replace(
    state: &State,
    account: &Account,
    codes: &[Zeroizing<String>],
) -> Result<(), AccountError> {
    let now = state.now();
    let transaction = db::begin(&state.db).await?;
    forget(&transaction, account).await?;
    let rows = codes.iter().map(|code| row::ActiveModel {
        code_hash: Set(hash(account.id, code)),
        account_id: Set(account.id),
        created_at: Set(now),
        used_at: Set(None),
    });
    if !codes.is_empty() {
        row::Entity::insert_many(rows)
            .exec_without_returning(&transaction)
            .await?;
    }
    let what = if codes.is_empty() {
        "the recovery codes were taken back"
    } else {
        "new recovery codes were made"
    };
    flow::tell(state, &transaction, account, what).await?;
    record(&transaction, &state.keys, (account, codes.len()), now).await?;
    transaction.commit().await?;
    Ok(())
}

/// The account of an address and one of its codes, which is used up. What is unknown takes the same steps, counts
/// against the same limits and gets the same answer.
///
/// # Errors
/// [`AccountError::Refused`] without saying what is wrong.
pub async fn sign_in_by_code(
    state: &State,
    caller: Network,
    (email, code): (&str, &str),
) -> Result<Account, AccountError> {
    let found = named(state, caller, email).await?;
    let id = found.as_ref().map_or(Uuid::nil(), |account| account.id);
    let transaction = db::begin(&state.db).await?;
    let is_good = spend(&transaction, id, code, state).await?;
    let Some(account) = found.filter(|_| is_good) else {
        transaction.rollback().await?;
        let entry = Entry::new(INSTALLATION, Action::AccountRefused);
        limit::record_refusal(state, entry, caller).await;
        return Err(AccountError::Refused);
    };
    audit::proven(Actor::Account(account.id), INSTALLATION);
    flow::tell(
        state,
        &transaction,
        &account,
        "somebody signed in by a recovery code",
    )
    .await?;
    Entry::new(INSTALLATION, Action::AccountSignedIn)
        .detail("by a recovery code")
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await?;
    Ok(account)
}

/// Uses a code up; of two at once one succeeds.
async fn spend(
    db: &impl ConnectionTrait,
    account_id: Uuid,
    code: &str,
    state: &State,
) -> Result<bool, DbErr> {
    let spent = row::Entity::update_many()
        .col_expr(row::Column::UsedAt, Expr::value(Some(state.now())))
        .filter(row::Column::CodeHash.eq(hash(account_id, code)))
        .filter(row::Column::AccountId.eq(account_id))
        .filter(row::Column::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(spent.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let (account, other) = (Uuid::new_v4(), Uuid::new_v4());
        for _ in 0..50 {
            let code = draw();
            assert_eq!(code.len(), 19);
            let kept = hash(account, &code);
            assert_eq!(kept, hash(account, &code.to_uppercase().replace('-', " ")));
            assert_eq!(
                kept,
                hash(account, &code.replace('0', "O").replace('1', "l"))
            );
            assert_ne!(kept, hash(other, &code));
            assert_ne!(kept, hash(account, &draw()));
            assert_ne!(kept, hash(account, &format!("{}0", *code)));
        }
        assert_eq!(
            hash(account, &"a".repeat(100_000)),
            hash(account, &"a".repeat(17))
        );
    }
}
