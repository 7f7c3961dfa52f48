//! Who may do what on which site.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    entity::prelude::*, sea_query::OnConflict,
};

use super::model::{self, Account, Role};
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
    site_id: Uuid,
) -> Result<Option<Role>, DbErr> {
    if account.is_administrator {
        return Ok(Some(Role::Owner));
    }
    let found = row::Entity::find_by_id((account.id, site_id))
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

/// Gives an account a role on a site, in the place of the one it has.
///
/// # Errors
/// When the database fails.
pub async fn give_role(
    db: &DatabaseConnection,
    keys: &Keyring,
    (account_id, site_id): (Uuid, Uuid),
    role: Role,
    now: Moment,
) -> Result<(), DbErr> {
    let transaction = db::begin(db).await?;
    let mut known = OnConflict::columns([row::Column::AccountId, row::Column::SiteId]);
    known.update_column(row::Column::Role);
    row::Entity::insert(row::ActiveModel {
        account_id: Set(account_id),
        site_id: Set(site_id),
        role: Set(role),
        created_at: Set(now),
    })
    .on_conflict(known)
    .exec_without_returning(&transaction)
    .await?;
    Entry::new(site_id, Action::RoleGiven)
        .detail(format!("{} to account {account_id}", role.as_str()))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await
}

/// Takes an account's role on a site away; whether it had one.
///
/// # Errors
/// When the database fails.
pub async fn take_role(
    db: &DatabaseConnection,
    keys: &Keyring,
    (account_id, site_id): (Uuid, Uuid),
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
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
