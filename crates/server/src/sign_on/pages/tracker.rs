//! A site's first page: what failed lately and what to do about it, how it goes day by day, and every attempt.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    asked::{Asked, SPANS},
    row::Row,
};
use crate::{
    client::{self, Client},
    dashboard_pages, device,
    http::{error::ApiResult, extract::Query},
    pages::{
        dashboard::{
            Frame, Viewer,
            chart::{Bar, Column, Columns},
            layout,
            live::{self, Live},
        },
        layout::{Layout, Page},
    },
    platform::{
        clock::{Moment, seconds},
        state::{Shared, State as AppState},
    },
    push,
    sign_on::{
        SignOn, State as Stage,
        tracker::{self, After, Day, Filter, Reason, STATES},
    },
    site::Site,
};

/// Attempts on a page.
const ROWS: u64 = 50;

/// Failures at the top, of the last so many days; among how many they are looked for.
const FAILURES: usize = 5;
const AMONG: u64 = 100;
const FAILURES_OF: TimeDelta = TimeDelta::days(7);

/// Days in the charts.
const DAYS: u32 = 14;

#[derive(Template)]
#[template(path = "sign_on/pages/tracker.html")]
struct TrackerPage {
    layout: Layout,
    frame: Frame,
    asked: Asked,
    chips: Vec<Vec<Chip>>,
    /// None on narrowed and further pages.
    glance: Option<Glance>,
    rows: Vec<Row>,
    open: Option<Row>,
    /// Which phones were told of the open one, and how far that came.
    pushes: Vec<Push>,
    older: Option<String>,
    /// Whether anybody has ever tried.
    is_new: bool,
    /// Names what is shown, where it follows what happens: further pages stay as they are.
    version: Option<String>,
}

dashboard_pages!(live TrackerPage);

/// A filter that can be put in or taken out.
struct Chip {
    word: &'static str,
    query: String,
    is_in: bool,
}

/// A phone that was told of an attempt.
struct Push {
    phone: String,
    /// How it was to be woken.
    kind: &'static str,
    /// How far that came.
    told: String,
}

/// What is seen at a glance.
struct Glance {
    failures: Vec<Row>,
    attempts: Columns,
    shares: Columns,
    days: Vec<Line>,
    all: i64,
    /// Of a hundred attempts that ended, how many well.
    share: Option<i64>,
    reasons: Vec<(&'static str, i64, Bar)>,
    /// Attempts at which nobody was asked.
    decoys: i64,
}

/// A day in the table of the charts.
struct Line {
    day: String,
    all: i64,
    verified: i64,
    failed: i64,
    denied: i64,
    expired: i64,
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
        }
    }

    /// Of a hundred that ended, how many well.
    fn share(&self) -> Option<i64> {
        let ended = self.verified + self.failed + self.denied + self.expired;
        (ended > 0).then(|| self.verified * 100 / ended)
    }
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    Query(asked): Query<Asked>,
    live: Live,
) -> ApiResult<Response> {
    let (now, site) = (state.now(), &access.site);
    let filter = asked.filter(&state, site, now).await?;
    let found = tracker::page(&state.db, site.id, &filter, asked.after(), ROWS).await?;
    let open = match asked.open() {
        Some(id) => tracker::find(&state.db, site.id, id).await?,
        None => None,
    };
    let version = live::version(&(&found.rows, &open));
    if let Some(unchanged) = live.unchanged(&version) {
        return Ok(unchanged);
    }
    let older = found.rows.last().filter(|_| found.more).map(|last| {
        let after = After::of(last).to_string();
        Asked {
            after,
            ..asked.first()
        }
        .query()
    });
    let is_plain = !asked.is_narrowed() && asked.after().is_none();
    let is_new = is_plain && found.rows.is_empty();
    let mut rows = dressed(&state, site, &found.rows, now).await?;
    for row in &mut rows {
        row.query = asked.opened(row.id).query();
    }
    let open = dressed(&state, site, open.as_slice(), now).await?.pop();
    let pushes = match &open {
        Some(row) => pushes(&state, site, row.id).await?,
        None => Vec::new(),
    };
    let glance = if is_plain && !is_new && open.is_none() {
        Some(glance(&state, site, now).await?)
    } else {
        None
    };
    let page = TrackerPage {
        layout: layout(),
        frame: access.frame("tracker").await?,
        chips: chips(&asked),
        version: asked.after().is_none().then_some(version),
        asked,
        glance,
        rows,
        open,
        pushes,
        older,
        is_new,
    };
    page.answer(StatusCode::OK)
}

fn chips(asked: &Asked) -> Vec<Vec<Chip>> {
    let states = asked.states();
    let verdicts = STATES.iter().map(|(state, word)| Chip {
        word: if *state == Stage::Pending {
            "waiting"
        } else {
            word
        },
        query: asked.toggled_verdict(word).query(),
        is_in: states.contains(state),
    });
    let reasons = Reason::ALL.iter().map(|reason| Chip {
        word: reason.words(),
        query: asked.toggled_reason(reason.word()).query(),
        is_in: asked.reason() == Some(*reason),
    });
    let spans = SPANS.iter().map(|(days, word)| Chip {
        word,
        query: asked.toggled_span(*days).query(),
        is_in: asked.days == days.to_string(),
    });
    vec![verdicts.collect(), reasons.collect(), spans.collect()]
}

/// Attempts with whose they are.
async fn dressed(
    state: &AppState,
    site: &Site,
    rows: &[SignOn],
    now: Moment,
) -> ApiResult<Vec<Row>> {
    let ids = rows.iter().map(|row| row.client_id);
    let clients = client::find_all(&state.db, site, ids).await?;
    let clients: HashMap<Uuid, Client> = clients
        .into_iter()
        .map(|client| (client.id, client))
        .collect();
    let row = |row: &SignOn| Row::of(row, clients.get(&row.client_id), now);
    Ok(rows.iter().map(row).collect())
}

async fn pushes(state: &AppState, site: &Site, id: Uuid) -> ApiResult<Vec<Push>> {
    let mut told = Vec::new();
    for push in push::of_sign_on(&state.db, site.id, id).await? {
        let phone = device::find(&state.db, site.id, push.device_id).await?;
        told.push(Push {
            phone: phone.map_or_else(String::new, |phone| phone.name),
            kind: push.kind_told(),
            told: push.told(),
        });
    }
    Ok(told)
}

async fn glance(state: &AppState, site: &Site, now: Moment) -> ApiResult<Glance> {
    let failed = Filter {
        states: vec![Stage::Failed, Stage::Denied, Stage::Expired],
        since: Some(now - FAILURES_OF),
        ..Filter::default()
    };
    let failures = tracker::page(&state.db, site.id, &failed, None, AMONG).await?;
    // Whoever types addresses that nobody has fails at nothing.
    let mut failures: Vec<SignOn> = failures.rows.into_iter().filter(|row| !row.decoy).collect();
    failures.truncate(FAILURES);
    let mut failures = dressed(state, site, &failures, now).await?;
    for row in &mut failures {
        row.query = Asked::default().opened(row.id).query();
    }
    let open = seconds(state.settings.sign_on.lifetime);
    let days = tracker::days(&state.db, site.id, DAYS, (now, open)).await?;
    let lines: Vec<Line> = days.iter().map(Line::of).collect();
    let sum = |part: fn(&Line) -> i64| lines.iter().map(part).sum::<i64>();
    let whole = Line {
        day: String::new(),
        all: sum(|line| line.all),
        verified: sum(|line| line.verified),
        failed: sum(|line| line.failed),
        denied: sum(|line| line.denied),
        expired: sum(|line| line.expired),
    };
    let attempts = lines.iter().map(|line| Column {
        said: format!(
            "{}: {} attempts, {} verified",
            line.day, line.all, line.verified
        ),
        all: line.all,
        part: line.verified,
    });
    let shares = lines.iter().map(|line| Column {
        said: match line.share() {
            Some(share) => format!("{}: {share} of 100", line.day),
            None => format!("{}: nobody", line.day),
        },
        all: 0,
        part: line.share().unwrap_or(0),
    });
    Ok(Glance {
        failures,
        attempts: Columns::new(
            "Attempts of each day, and how many of them were verified",
            attempts.collect(),
        ),
        shares: Columns::up_to(
            "Of a hundred attempts of each day, how many were verified",
            shares.collect(),
            100,
        ),
        all: whole.all,
        share: whole.share(),
        reasons: reasons(&days, &whole),
        decoys: days.iter().map(Day::decoys).sum(),
        days: lines,
    })
}

/// Why attempts ended badly, the most frequent first.
fn reasons(days: &[Day], whole: &Line) -> Vec<(&'static str, i64, Bar)> {
    let failed = |reason: Reason| days.iter().map(|day| day.failed_at(reason)).sum::<i64>();
    let mut counts: Vec<(&'static str, i64)> = Reason::ALL
        .map(|reason| (reason.words(), failed(reason)))
        .to_vec();
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
