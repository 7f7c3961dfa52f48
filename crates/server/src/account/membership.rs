//! Who may do what on which site.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QueryOrder,
    QuerySelect,
    entity::prelude::*,
    sea_query::{OnConflict, Query},
};

use super::model::{self, Account, AccountError, Role};
use crate::{
    audit::{Action, Entry},
    platform::{clock::Moment, db, keys::Keyring},
    site::{self, Site},
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    use crate::account::model::Role;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub site_id: Uuid,
        pub role: Role,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An account that may do something on a site.
#[derive(Debug, Clone)]
pub struct Member {
    /// Whose it is.
    pub account: Account,
    /// What they may do.
    pub role: Role,
}

/// What an account may do on a site; `None`: nothing, as if there were no such site.
///
/// # Errors
/// When the database fails.
pub async fn role_on(
    db: &impl ConnectionTrait,
    account: &Account,
    site: &Site,
) -> Result<Option<Role>, DbErr> {
    if account.is_administrator {
        return Ok(Some(Role::Owner));
    }
    // Whoever looks after its people could come in as any of them.
    if site.is_dashboard {
        return Ok(None);
    }
    let found = row::Entity::find_by_id((account.id, site.id))
        .one(db)
        .await?;
    Ok(found.map(|row| row.role))
}

/// The sites that an account may look at, with its role, by name.
///
/// # Errors
/// When the database fails.
pub async fn sites_of(
    db: &DatabaseConnection,
    account: &Account,
) -> Result<Vec<(Site, Role)>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::AccountId.eq(account.id))
        .all(db)
        .await?;
    let role = |site: &Site| match account.is_administrator {
        true => Some(Role::Owner),
        false if site.is_dashboard => None,
        false => rows
            .iter()
            .find(|row| row.site_id == site.id)
            .map(|row| row.role),
    };
    let mut sites: Vec<(Site, Role)> = site::all(db)
        .await?
        .into_iter()
        .filter_map(|site| role(&site).map(|role| (site, role)))
        .collect();
    sites.sort_by(|(one, _), (other, _)| (&one.name, one.id).cmp(&(&other.name, other.id)));
    Ok(sites)
}

/// The accounts that were given a role on a site, the first one first.
///
/// # Errors
/// When the database fails.
pub async fn members(db: &DatabaseConnection, site_id: Uuid) -> Result<Vec<Member>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .order_by_asc(row::Column::CreatedAt)
        .all(db)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.account_id).collect();
    let accounts = model::Entity::find()
        .filter(model::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let member = |row: row::Model| {
        let account = accounts.iter().find(|account| account.id == row.account_id);
        account.cloned().map(|account| Member {
            account,
            role: row.role,
        })
    };
    Ok(rows.into_iter().filter_map(member).collect())
}

/// Who changes what others may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An owner of the site. Two who take each other's role away at once would leave nobody, so the last one stays.
    Owner,
    /// Who runs the installation, and owns every site anyway.
    Administrator,
}

impl By {
    /// What this account is on a site that it owns.
    #[must_use]
    pub fn account(account: &Account) -> Self {
        if account.is_administrator {
            Self::Administrator
        } else {
            Self::Owner
        }
    }
}

/// Holds the roles of a site to the end of the transaction. Whether somebody else owns it than this account.
async fn has_another_owner(
    transaction: &DatabaseTransaction,
    (account_id, site_id): (Uuid, Uuid),
) -> Result<bool, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .order_by_asc(row::Column::AccountId)
        .lock_exclusive()
        .all(transaction)
        .await?;
    let is_other = |row: &row::Model| row.role == Role::Owner && row.account_id != account_id;
    Ok(rows.iter().any(is_other))
}

/// How many sites an account owns by its role.
///
/// # Errors
/// When the database fails.
pub(super) async fn count_owned(db: &impl ConnectionTrait, account_id: Uuid) -> Result<u64, DbErr> {
    row::Entity::find()
        .filter(row::Column::AccountId.eq(account_id))
        .filter(row::Column::Role.eq(Role::Owner))
        .count(db)
        .await
}

/// Takes all of an account's roles away, of one that goes. The names of the sites that nobody would own any more, and
/// then the transaction is to be given up.
pub(super) async fn take_all(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    account: &Account,
    now: Moment,
) -> Result<Vec<String>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::AccountId.eq(account.id))
        .order_by_asc(row::Column::SiteId)
        .all(transaction)
        .await?;
    let mut alone = Vec::new();
    for row in rows {
        let at = (account.id, row.site_id);
        if row.role == Role::Owner && !has_another_owner(transaction, at).await? {
            alone.push(row.site_id);
            continue;
        }
        row::Entity::delete_by_id(at).exec(transaction).await?;
        Entry::new(row.site_id, Action::RoleTaken)
            .detail(format!("from account {}, which goes", account.id))
            .record(transaction, keys, now)
            .await?;
    }
    let sites = site::some(transaction, alone.into_iter()).await?;
    Ok(sites.into_iter().map(|site| site.name).collect())
}

/// The sites that only this account owns.
///
/// # Errors
/// When the database fails.
pub async fn owned_alone(db: &DatabaseConnection, account_id: Uuid) -> Result<Vec<Site>, DbErr> {
    let owners = row::Entity::find()
        .filter(row::Column::Role.eq(Role::Owner))
        .filter(
            row::Column::SiteId.in_subquery(
                Query::select()
                    .column(row::Column::SiteId)
                    .from(row::Entity)
                    .and_where(row::Column::AccountId.eq(account_id))
                    .and_where(row::Column::Role.eq(Role::Owner))
                    .take(),
            ),
        )
        .all(db)
        .await?;
    let shared: HashSet<Uuid> = owners
        .iter()
        .filter(|row| row.account_id != account_id)
        .map(|row| row.site_id)
        .collect();
    let mine = owners.iter().filter(|row| row.account_id == account_id);
    let alone = mine
        .map(|row| row.site_id)
        .filter(|id| !shared.contains(id));
    site::some(db, alone).await
}

/// Gives an account a role on a site, in the place of the one it has.
///
/// # Errors
/// [`AccountError::LastOwner`]; or when the database fails.
pub async fn give_role(
    db: &DatabaseConnection,
    keys: &Keyring,
    (account_id, site_id): (Uuid, Uuid),
    (role, by): (Role, By),
    now: Moment,
) -> Result<(), AccountError> {
    let transaction = db::begin(db).await?;
    give(&transaction, keys, (account_id, site_id), (role, by), now).await?;
    transaction.commit().await?;
    Ok(())
}

/// The same, in the transaction of what goes with it, which is given up where it fails.
pub(super) async fn give(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    (account_id, site_id): (Uuid, Uuid),
    (role, by): (Role, By),
    now: Moment,
) -> Result<(), AccountError> {
    let is_kept = role == Role::Owner || by == By::Administrator;
    if !is_kept && !has_another_owner(transaction, (account_id, site_id)).await? {
        return Err(AccountError::LastOwner);
    }
    let mut known = OnConflict::columns([row::Column::AccountId, row::Column::SiteId]);
    known.update_column(row::Column::Role);
    row::Entity::insert(row::ActiveModel {
        account_id: Set(account_id),
        site_id: Set(site_id),
        role: Set(role),
        created_at: Set(now),
    })
    .on_conflict(known)
    .exec_without_returning(transaction)
    .await?;
    Entry::new(site_id, Action::RoleGiven)
        .detail(format!("{} to account {account_id}", role.as_str()))
        .record(transaction, keys, now)
        .await?;
    Ok(())
}

/// Takes an account's role on a site away; whether it had one.
///
/// # Errors
/// [`AccountError::LastOwner`]; or when the database fails.
pub async fn take_role(
    db: &DatabaseConnection,
    keys: &Keyring,
    (account_id, site_id): (Uuid, Uuid),
    by: By,
    now: Moment,
) -> Result<bool, AccountError> {
    let transaction = db::begin(db).await?;
    let at = (account_id, site_id);
    if by == By::Owner && !has_another_owner(&transaction, at).await? {
        transaction.rollback().await?;
        return Err(AccountError::LastOwner);
    }
    let gone = row::Entity::delete_by_id((account_id, site_id))
        .exec(&transaction)
        .await?;
    if gone.rows_affected != 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    Entry::new(site_id, Action::RoleTaken)
        .detail(format!("from account {account_id}"))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}
