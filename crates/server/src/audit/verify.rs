//! Going over a chain from its beginning to its head.

use std::fmt;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    action::Action,
    chain::{Chain, Hash, Place},
    store::{self, Head, Line},
};
use crate::platform::keys::Keyring;

/// Lines read at a time.
const BATCH: u64 = 1000;

/// What is wrong with a log, the first of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// A line is not what was written, or stands where another was.
    Changed(i64, Uuid),
    /// A line is gone from between others, or from the beginning.
    Missing(i64),
    /// Lines at the end are gone: the last that is there, and the last that was written.
    Cut(i64, i64),
    /// A line has no place in the chain, or one behind its end.
    Inserted(Uuid),
    /// The head is not what was written.
    Head,
    /// There are no lines and no head, or lines without a head.
    NoHead,
    /// The log itself says that it could not go on from what was there.
    Told(i64, String),
    /// A line is not the one that was known under this number.
    Other(i64),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq, id) => write!(f, "line {seq} ({id}) is not what was written"),
            Self::Missing(seq) => write!(f, "line {seq} is missing"),
            Self::Cut(there, written) => write!(
                f,
                "the last lines are missing: {} is the last that is there, {written} was written",
                there
            ),
            Self::Inserted(id) => write!(f, "a line ({id}) was put in that has no place"),
            Self::Head => f.write_str("the head is not what was written"),
            Self::NoHead => f.write_str("the head is missing"),
            Self::Told(seq, why) => write!(f, "line {seq} says that the log was broken: {why}"),
            Self::Other(seq) => write!(f, "line {seq} is not the one that was known"),
        }
    }
}

/// How a site's log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose log it is.
    pub site_id: Uuid,
    /// Lines that verify, from the first that is there.
    pub lines: u64,
    /// Number of the last line that retention has removed; 0 where it has removed none.
    pub pruned: i64,
    /// Number and hash of the last line: what may be kept elsewhere, and be known next time.
    pub last: (i64, Hash),
    /// The first thing that is wrong.
    pub breach: Option<Breach>,
}

/// Goes over the log of a site. `known` is a number and a hash that an earlier report told.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    site_id: Uuid,
    known: Option<&(i64, Hash)>,
) -> Result<Report, DbErr> {
    let mut report = Report {
        site_id,
        lines: 0,
        pruned: 0,
        last: (0, Hash::default()),
        breach: None,
    };
    let Some(head) = store::find_head(db, site_id).await? else {
        report.breach = Some(Breach::NoHead);
        return Ok(report);
    };
    report.pruned = head.pruned.seq;
    report.last = (head.last.seq, head.last.hash.clone());
    let mut walk = Walk {
        chain: Chain::of(keys, site_id),
        at: head.pruned.clone(),
        known,
    };
    report.breach = walk.go(db, &head, &mut report.lines).await?;
    Ok(report)
}

struct Walk<'k> {
    chain: Chain,
    at: Place,
    known: Option<&'k (i64, Hash)>,
}

impl Walk<'_> {
    async fn go(
        &mut self,
        db: &impl ConnectionTrait,
        head: &Head,
        lines: &mut u64,
    ) -> Result<Option<Breach>, DbErr> {
        let site_id = self.chain.site_id;
        // A head that was changed may name another beginning: then the first line would be blamed.
        let is_sealed = self.chain.seal(&head.last, &head.pruned).is(&head.seal);
        if self.differs() {
            return Ok(Some(Breach::Other(self.at.seq)));
        }
        loop {
            let batch = store::lines_after(db, site_id, self.at.seq, BATCH).await?;
            if batch.is_empty() {
                break;
            }
            for line in batch {
                if is_sealed && line.seq > head.last.seq {
                    return Ok(Some(Breach::Inserted(line.content.id)));
                }
                if let Some(breach) = self.step(&line) {
                    return Ok(Some(breach));
                }
                *lines += 1;
            }
        }
        let ends = self.at.seq;
        if let Some(loose) = store::loose(db, site_id, 1).await?.first() {
            return Ok(Some(Breach::Inserted(loose.content.id)));
        }
        if ends < head.last.seq {
            return Ok(Some(Breach::Cut(ends, head.last.seq)));
        }
        if !is_sealed || self.at != head.last {
            return Ok(Some(Breach::Head));
        }
        Ok(self
            .known
            .filter(|(seq, _)| *seq > ends)
            .map(|(seq, _)| Breach::Cut(ends, *seq)))
    }

    fn step(&mut self, line: &Line) -> Option<Breach> {
        let next = self.chain.next(&self.at, &line.content);
        if line.seq != next.seq {
            return Some(Breach::Missing(next.seq));
        }
        if !next.hash.is(&line.hash) {
            return Some(Breach::Changed(line.seq, line.content.id));
        }
        self.at = next;
        if line.content.action == Action::LogBroken.as_str() {
            return Some(Breach::Told(line.seq, line.content.detail.clone()));
        }
        self.differs().then_some(Breach::Other(line.seq))
    }

    fn differs(&self) -> bool {
        self.known
            .is_some_and(|(seq, hash)| *seq == self.at.seq && !hash.is(&self.at.hash))
    }
}
