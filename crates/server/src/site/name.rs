//! What a site is called.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, QuerySelect, entity::prelude::*,
};

use super::model::{ActiveModel, Column, Entity, SiteError};
use crate::{
    audit::{Action, Entry},
    platform::{clock::Moment, db, keys::Keyring},
};

/// Most characters of a name: phones show it in a line.
const LONGEST: usize = 60;

/// Signs that are not seen, or turn others around: a name must read as it is written.
fn is_unseen(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A name as it is kept: in one line, without what is around it.
fn read(text: &str) -> Result<String, SiteError> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = match name.chars().count() {
        0 => "must not be empty",
        1..=LONGEST if name.chars().any(is_unseen) => "has signs that are not seen",
        1..=LONGEST => return Ok(name),
        _ => "has at most 60 characters",
    };
    Err(SiteError::Setting {
        key: "name".to_owned(),
        reason: reason.to_owned(),
    })
}

/// Calls a site otherwise from now on; the name as it is kept.
///
/// # Errors
/// [`SiteError::Setting`] says why it cannot be called so.
pub async fn rename(
    db: &DatabaseConnection,
    keys: &Keyring,
    (id, name): (Uuid, &str),
    now: Moment,
) -> Result<String, SiteError> {
    let name = read(name)?;
    let transaction = db::begin(db).await?;
    let before = Entity::find_by_id(id)
        .lock_exclusive()
        .one(&transaction)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("sites".into()))?
        .name;
    if before == name {
        transaction.rollback().await?;
        return Ok(name);
    }
    Entity::update_many()
        .set(ActiveModel {
            name: Set(name.clone()),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(&transaction)
        .await?;
    Entry::new(id, Action::SiteRenamed)
        .detail(format!("{before} -> {name}"))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_reads_as_it_is_written() {
        assert_eq!(read("  Ann’s \n shop\t ").unwrap(), "Ann’s shop");
        assert_eq!(read("متجر").unwrap(), "متجر");
        assert!(read(&"é".repeat(LONGEST)).is_ok());
        for text in [
            "",
            " \n ",
            &"é".repeat(LONGEST + 1),
            "a\u{0}b",
            "elgoog \u{202e}",
            "a\u{200b}b",
        ] {
            assert!(
                matches!(read(text), Err(SiteError::Setting { .. })),
                "{text:?}"
            );
        }
    }
}
