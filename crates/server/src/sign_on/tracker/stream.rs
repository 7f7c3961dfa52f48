//! All attempts that a filter lets through, newest first, a batch at a time: each row is read once, of however many people.

use std::collections::VecDeque;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    filter::{Filter, Reading},
    page::{After, reading},
};
use crate::sign_on::model::SignOn;

/// Rows of one reading that are read at a time, where there are many of them.
const FEWEST: u64 = 20;

/// What is left of the attempts.
pub(in crate::sign_on) struct Stream {
    site_id: Uuid,
    filter: Filter,
    sources: Vec<Source>,
}

/// One reading, as far as it has come.
struct Source {
    part: Reading,
    /// Read, and not yet sent.
    rows: VecDeque<SignOn>,
    after: Option<After>,
    is_over: bool,
}

impl Source {
    fn of(part: Reading) -> Self {
        Self {
            part,
            rows: VecDeque::new(),
            after: None,
            is_over: false,
        }
    }
}

impl Stream {
    /// All of them, from the newest.
    pub(in crate::sign_on) fn of(site_id: Uuid, filter: Filter) -> Self {
        let sources = filter.readings().into_iter().map(Source::of).collect();
        Self {
            site_id,
            filter,
            sources,
        }
    }

    /// The next attempts: fewer than asked for where there are no more.
    pub(in crate::sign_on) async fn next(
        &mut self,
        db: &impl ConnectionTrait,
        most: u64,
    ) -> Result<Vec<SignOn>, DbErr> {
        let of_each = (most / (self.sources.len() as u64).max(1)).max(FEWEST);
        let mut rows = Vec::new();
        while (rows.len() as u64) < most {
            self.fill(db, of_each).await?;
            let newest = self.sources.iter_mut().max_by_key(|source| {
                let first = source.rows.front();
                first.map(|row| (row.created_at, row.id))
            });
            match newest.and_then(|source| source.rows.pop_front()) {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }

    /// Reads on where nothing is left of what was read.
    async fn fill(&mut self, db: &impl ConnectionTrait, of_each: u64) -> Result<(), DbErr> {
        for source in &mut self.sources {
            if source.is_over || !source.rows.is_empty() {
                continue;
            }
            let read = reading(
                self.site_id,
                &self.filter,
                source.part,
                source.after,
                of_each,
            );
            source.rows = read.all(db).await?.into();
            source.is_over = (source.rows.len() as u64) < of_each;
            source.after = source.rows.back().map(After::of);
        }
        Ok(())
    }
}
