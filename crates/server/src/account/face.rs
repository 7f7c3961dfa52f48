//! An account's own face as a way in. The dashboard is a relying site of this installation: an account is linked to a
//! client of that site, whose phone answers like any other.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    entity::prelude::*, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    flow,
    model::{self, Account, AccountError},
    store,
};
use crate::{
    audit::{self, Action, Actor, Entry, INSTALLATION},
    client::{self, Client, ClientError, FullName},
    device,
    enrolment::{self, FlowType},
    erasure::{self, By, ErasureError, Means},
    face,
    platform::{clock::Moment, db, keys::Keyring, state::State},
    sign_on::{self, SignOnError},
    site::{self, Site},
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_faces")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: Uuid,
        pub client_id: Uuid,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far an account's face is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceWay {
    /// Not at all.
    None,
    /// A code was shown; no phone is paired.
    NoPhone,
    /// A phone is paired; it has sent no face.
    NoFace,
    /// It signs in.
    Ready,
}

/// The dashboard's site, if anybody can sign in by it. In test mode nobody can: addresses would do.
///
/// # Errors
/// When the database fails.
pub async fn door(state: &State) -> Result<Option<Site>, DbErr> {
    let site = site::dashboard(&state.db).await?;
    Ok(site.filter(|site| site.is_enabled() && !site.settings.test_mode))
}

/// How far an account's face is set up.
///
/// # Errors
/// When the database fails.
pub async fn face_way(state: &State, account: &Account) -> Result<FaceWay, DbErr> {
    let Some((site, client)) = linked(state, account).await? else {
        return Ok(FaceWay::None);
    };
    let devices = device::paired(&state.db, site.id, client.id, state.now()).await?;
    let has_face = face::is_enrolled(state, client.id).await?;
    Ok(match (devices.is_empty(), has_face) {
        (true, _) => FaceWay::NoPhone,
        (false, false) => FaceWay::NoFace,
        (false, true) => FaceWay::Ready,
    })
}

/// Whether an account is linked to a client, ready or not.
///
/// # Errors
/// When the database fails.
pub async fn is_linked(db: &impl ConnectionTrait, account: &Account) -> Result<bool, DbErr> {
    let link = row::Entity::find_by_id(account.id).one(db).await?;
    Ok(link.is_some())
}

/// The client that an account is linked to.
async fn linked(state: &State, account: &Account) -> Result<Option<(Site, Client)>, DbErr> {
    let Some(site) = site::dashboard(&state.db).await? else {
        return Ok(None);
    };
    let Some(link) = row::Entity::find_by_id(account.id).one(&state.db).await? else {
        return Ok(None);
    };
    match client::find(&state.db, &site, link.client_id).await {
        Ok(client) => Ok(Some((site, client))),
        Err(ClientError::Database(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Links an account to a client of the dashboard's site, and offers a code that pairs a phone: the address in it, shown
/// this once.
///
/// # Errors
/// [`AccountError::WrongPassword`] where the password is wrong.
pub async fn set_up_face(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<String, AccountError> {
    flow::prove(state, account, present).await?;
    let client = match linked(state, account).await? {
        Some((_, client)) => client,
        None => link(state, account).await?,
    };
    Ok(enrolment::offer(state, &client, FlowType::Signup).await?)
}

async fn link(state: &State, account: &Account) -> Result<Client, AccountError> {
    let now = state.now();
    let url = state.settings.public_url();
    let site = site::dashboard_or_new(&state.db, &state.keys, &url, now).await?;
    let email = model::email(&account.email)?;
    let name = FullName::default();
    let id = match client::create(state, &site, &email, &name, now).await {
        // Linked to nobody: whoever's phone it has, it must not sign in here.
        Err(ClientError::EmailTaken(other)) => {
            erasure::erase(state, &site, other, By::Site).await?;
            client::create(state, &site, &email, &name, now).await?
        }
        made => made?,
    };
    let transaction = db::begin(&state.db).await?;
    let mut other = OnConflict::column(row::Column::AccountId);
    other.update_columns([row::Column::ClientId, row::Column::CreatedAt]);
    row::Entity::insert(row::ActiveModel {
        account_id: Set(account.id),
        client_id: Set(id),
        created_at: Set(now),
    })
    .on_conflict(other)
    .exec_without_returning(&transaction)
    .await?;
    let what = "a phone may be paired that signs in by its owner's face";
    flow::tell(state, &transaction, account, what).await?;
    Entry::new(INSTALLATION, Action::AccountFaceLinked)
        .detail(format!("account {}, client {id}", account.id))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(client::find(&state.db, &site, id).await?)
}

/// Erases an account's face and phones.
///
/// # Errors
/// [`AccountError::WrongPassword`] where the password is wrong.
pub async fn drop_face(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<(), AccountError> {
    flow::prove(state, account, present).await?;
    let Some((site, client)) = linked(state, account).await? else {
        return Ok(());
    };
    // The link goes with the client.
    erasure::erase(state, &site, client.id, By::Site).await?;
    let transaction = db::begin(&state.db).await?;
    flow::tell(
        state,
        &transaction,
        account,
        "the face and its phones were taken away",
    )
    .await?;
    Entry::new(INSTALLATION, Action::AccountFaceUnlinked)
        .detail(format!("account {}, client {}", account.id, client.id))
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes an account's face away as a way in, for whoever runs the installation; whether it was one. The client stays in
/// the dashboard's site, and signs nobody in.
///
/// # Errors
/// When the database fails.
pub async fn unlink_face(
    db: &DatabaseConnection,
    keys: &Keyring,
    account: &Account,
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
    let gone = row::Entity::delete_by_id(account.id)
        .exec(&transaction)
        .await?;
    if gone.rows_affected == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    Entry::new(INSTALLATION, Action::AccountFaceUnlinked)
        .detail(format!("account {}", account.id))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Has the client that an account is linked to follow it to another address, in the transaction that gives it that.
pub(super) async fn follow(
    transaction: &DatabaseTransaction,
    account_id: Uuid,
    email: &client::Email,
) -> Result<(), DbErr> {
    let Some(link) = row::Entity::find_by_id(account_id).one(transaction).await? else {
        return Ok(());
    };
    match site::dashboard(transaction).await? {
        Some(site) => client::set_email(transaction, site.id, link.client_id, email).await,
        None => Ok(()),
    }
}

/// Erases whoever the dashboard's site knows by this address, but for the client that an account is linked to. Nobody
/// signs in here by what is left of an account.
pub(super) async fn erase_strays(
    means: &Means<'_>,
    email: &client::Email,
) -> Result<(), AccountError> {
    let Some(site) = site::dashboard(means.db).await? else {
        return Ok(());
    };
    let stray = match client::find_by_email(means.db, &site, email).await {
        Ok(client) => client,
        Err(ClientError::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if account_of(means.db, stray.id).await?.is_none() {
        erasure::erase_apart(means, &site, stray.id, By::Site).await?;
    }
    Ok(())
}

/// Erases the client that an account is linked to, with face and phones; whether it was.
pub(super) async fn erase_linked(
    means: &Means<'_>,
    account_id: Uuid,
) -> Result<bool, AccountError> {
    let site = site::dashboard(means.db).await?;
    let link = row::Entity::find_by_id(account_id).one(means.db).await?;
    let (Some(site), Some(link)) = (site, link) else {
        return Ok(false);
    };
    match erasure::erase_apart(means, &site, link.client_id, By::Site).await {
        Ok(_) => Ok(true),
        Err(ErasureError::Client(ClientError::NotFound)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The client to ask for somebody who types an address, if there is one.
///
/// # Errors
/// [`AccountError::Email`] where it is no address.
pub async fn client_at_door(
    state: &State,
    site: &Site,
    email: &str,
) -> Result<(client::Email, Option<Client>), AccountError> {
    let email = model::email(email)?;
    let account = store::find_by_email(&state.db, &email).await?;
    let id = account.map_or(Uuid::nil(), |account| account.id);
    let link = row::Entity::find_by_id(id).one(&state.db).await?;
    let client_id = link.map_or(Uuid::nil(), |link| link.client_id);
    match client::find(&state.db, site, client_id).await {
        Ok(client) => Ok((email, Some(client))),
        Err(ClientError::Database(error)) => Err(error.into()),
        Err(_) => Ok((email, None)),
    }
}

/// The account of whoever answered a sign-on, once.
///
/// # Errors
/// [`AccountError::Refused`] where it proves nobody.
pub async fn sign_in_by_face(
    state: &State,
    site: &Site,
    token: &str,
) -> Result<Account, AccountError> {
    let client_id = match sign_on::redeem_at_door(state, site, token).await {
        Ok(id) => id,
        Err(SignOnError::Database(error)) => return Err(error.into()),
        Err(_) => return Err(AccountError::Refused),
    };
    let account = account_of(&state.db, client_id).await?;
    let account = account.ok_or(AccountError::Refused)?;
    audit::proven(Actor::Account(account.id), INSTALLATION);
    Entry::new(INSTALLATION, Action::AccountSignedIn)
        .detail("by face")
        .record_alone(&state.db, &state.keys, state.now())
        .await?;
    Ok(account)
}

async fn account_of(db: &impl ConnectionTrait, client_id: Uuid) -> Result<Option<Account>, DbErr> {
    let link = row::Entity::find()
        .filter(row::Column::ClientId.eq(client_id))
        .one(db)
        .await?;
    match link {
        Some(link) => store::find(db, link.account_id).await,
        None => Ok(None),
    }
}
