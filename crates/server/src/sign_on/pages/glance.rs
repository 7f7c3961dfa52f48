//! How it goes, at a glance: two weeks as charts, and the same as a table.

use super::row::told;
use crate::{
    http::error::ApiResult,
    pages::dashboard::chart::{Bar, Column, Columns},
    platform::{
        clock::{Moment, seconds},
        state::State as AppState,
    },
    sign_on::{
        State as Stage,
        tracker::{self, Day, Reason},
    },
    site::Site,
};

/// Days in the charts.
const DAYS: u32 = 14;

/// What is seen at a glance.
pub(super) struct Glance {
    pub(super) attempts: Columns,
    pub(super) shares: Columns,
    pub(super) times: Columns,
    pub(super) days: Vec<Line>,
    pub(super) all: i64,
    /// Of a hundred attempts that ended, how many well.
    pub(super) share: Option<i64>,
    /// How long it took those that were verified on average, and on the day on which it took longest.
    pub(super) time: Option<(String, String)>,
    pub(super) reasons: Vec<(&'static str, i64, Bar)>,
    /// Attempts at which nobody was asked.
    pub(super) decoys: i64,
}

/// A day in the table of the charts.
pub(super) struct Line {
    pub(super) day: String,
    pub(super) all: i64,
    pub(super) verified: i64,
    pub(super) failed: i64,
    pub(super) denied: i64,
    pub(super) expired: i64,
    /// What it failed at, in the order of [`Reason::ALL`].
    pub(super) reasons: [i64; 3],
    /// How many were verified in a known time, and in how many milliseconds together.
    in_time: (i64, i64),
}

impl Line {
    fn of(day: &Day) -> Self {
        Self {
            day: day.day.format("%-d %b").to_string(),
            all: day.all(),
            verified: day.ended(Stage::Verified),
            failed: day.ended(Stage::Failed),
            denied: day.ended(Stage::Denied),
            expired: day.ended(Stage::Expired),
            reasons: Reason::ALL.map(|reason| day.failed_at(reason)),
            in_time: day.verified_in(),
        }
    }

    /// All these days as one.
    fn whole(lines: &[Self]) -> Self {
        let sum = |part: fn(&Self) -> i64| lines.iter().map(part).sum::<i64>();
        Self {
            day: String::new(),
            all: sum(|line| line.all),
            verified: sum(|line| line.verified),
            failed: sum(|line| line.failed),
            denied: sum(|line| line.denied),
            expired: sum(|line| line.expired),
            reasons: [0, 1, 2].map(|at| lines.iter().map(|line| line.reasons[at]).sum()),
            in_time: (sum(|line| line.in_time.0), sum(|line| line.in_time.1)),
        }
    }

    /// Of a hundred that ended, how many well.
    fn share(&self) -> Option<i64> {
        let ended = self.verified + self.failed + self.denied + self.expired;
        (ended > 0).then(|| self.verified * 100 / ended)
    }

    /// How many milliseconds it took on average until somebody was verified.
    fn mean(&self) -> Option<i64> {
        let (count, took) = self.in_time;
        (count > 0).then(|| took.max(0) / count)
    }

    /// The same in words.
    pub(super) fn time(&self) -> String {
        self.mean().map_or_else(|| "–".to_owned(), told)
    }
}

impl Glance {
    /// The last days of a site.
    pub(super) async fn of(state: &AppState, site: &Site, now: Moment) -> ApiResult<Self> {
        let open = seconds(state.settings.sign_on.lifetime);
        let days = tracker::days(&state.db, site.id, DAYS, (now, open)).await?;
        let lines: Vec<Line> = days.iter().map(Line::of).collect();
        let whole = Line::whole(&lines);
        let slowest = lines.iter().filter_map(Line::mean).max();
        Ok(Self {
            attempts: attempts(&lines),
            shares: shares(&lines),
            times: times(&lines, slowest.unwrap_or(0)),
            all: whole.all,
            share: whole.share(),
            time: whole
                .mean()
                .zip(slowest)
                .map(|(mean, slowest)| (told(mean), told(slowest))),
            reasons: reasons(&whole),
            decoys: days.iter().map(Day::decoys).sum(),
            days: lines,
        })
    }
}

fn attempts(lines: &[Line]) -> Columns {
    let column = |line: &Line| Column {
        said: format!(
            "{}: {} attempts, {} verified",
            line.day, line.all, line.verified
        ),
        all: line.all,
        part: line.verified,
    };
    let name = "Attempts of each day, and how many of them were verified";
    Columns::new(name, lines.iter().map(column).collect())
}

fn shares(lines: &[Line]) -> Columns {
    let column = |line: &Line| Column {
        said: match line.share() {
            Some(share) => format!("{}: {share} of 100", line.day),
            None => format!("{}: nobody", line.day),
        },
        all: 0,
        part: line.share().unwrap_or(0),
    };
    let name = "Of a hundred attempts of each day, how many were verified";
    Columns::up_to(name, lines.iter().map(column).collect(), 100)
}

fn times(lines: &[Line], slowest: i64) -> Columns {
    let column = |line: &Line| Column {
        said: match line.mean() {
            Some(mean) => format!("{}: {}", line.day, told(mean)),
            None => format!("{}: nobody", line.day),
        },
        all: 0,
        part: line.mean().unwrap_or(0),
    };
    let name = "How long it took on each day until somebody was verified, on average";
    Columns::up_to(name, lines.iter().map(column).collect(), slowest)
}

/// Why attempts ended badly, the most frequent first.
fn reasons(whole: &Line) -> Vec<(&'static str, i64, Bar)> {
    let words = Reason::ALL.map(Reason::words);
    let mut counts: Vec<(&'static str, i64)> = words.into_iter().zip(whole.reasons).collect();
    counts.push(("refused on the phone", whole.denied));
    counts.push(("nobody answered", whole.expired));
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all = counts.iter().map(|(_, count)| count).sum::<i64>();
    let bar = |part| Bar { part, all };
    counts
        .into_iter()
        .map(|(words, count)| (words, count, bar(count)))
        .collect()
}
