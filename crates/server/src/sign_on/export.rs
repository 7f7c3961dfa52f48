//! Attempts as a file, as many as there are.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::SecondsFormat;
use sea_orm::{ActiveEnum as _, DatabaseConnection, DbErr};
use serde_json::json;
use uuid::Uuid;

use super::{
    model::SignOn,
    tracker::{Filter, Reason, STATES, Stream},
};
use crate::{
    client, device,
    platform::{
        clock::Moment,
        csv::cell,
        export::{Export, Format},
    },
    push::{self, Reached},
    site::Site,
};

/// Attempts read at a time.
const BATCH: u64 = 1000;

/// Attempts on a site, the newest first.
pub struct Attempts {
    site: Site,
    rest: Stream,
}

impl Attempts {
    /// Those that the filter lets through.
    pub(super) fn of(site: Site, filter: Filter) -> Self {
        let rest = Stream::of(site.id, filter);
        Self { site, rest }
    }

    /// All of a site.
    #[must_use]
    pub fn all(site: Site) -> Self {
        Self::of(site, Filter::default())
    }
}

#[async_trait]
impl Export for Attempts {
    const NAME: &'static str = "sign-ons";
    const CELLS: &'static str = "sign_on_id,client_id,email,verdict,reason,asked_at,ended_at,redeemed_at,browser,os,address,place,number,test,device_id,device,liveness,push";

    async fn next(
        &mut self,
        db: &DatabaseConnection,
        _now: Moment,
        format: Format,
    ) -> Result<Option<String>, DbErr> {
        let rows = self.rest.next(db, BATCH).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let beside = Beside::of(db, &self.site, &rows).await?;
        let line = |row: &SignOn| line(format, row, &beside);
        Ok(Some(rows.iter().map(line).collect()))
    }
}

/// What is known of a batch of attempts beside their rows.
struct Beside {
    /// Addresses, by client.
    emails: HashMap<Uuid, String>,
    /// Names, by phone.
    phones: HashMap<Uuid, String>,
    /// How far the push came that came furthest, by attempt.
    pushes: HashMap<Uuid, Reached>,
}

impl Beside {
    async fn of(db: &DatabaseConnection, site: &Site, rows: &[SignOn]) -> Result<Self, DbErr> {
        let clients: HashSet<Uuid> = rows.iter().map(|row| row.client_id).collect();
        let clients = client::find_all(db, site, clients).await?;
        let phones: HashSet<Uuid> = rows.iter().filter_map(|row| row.device_id).collect();
        let phones = device::find_all(db, site.id, phones).await?;
        let mut pushes = HashMap::new();
        for push in push::of_sign_ons(db, site.id, rows.iter().map(|row| row.id)).await? {
            let furthest = pushes.entry(push.sign_on_id).or_insert(push.reached());
            *furthest = push.reached().max(*furthest);
        }
        let emails = clients.into_iter().map(|client| (client.id, client.email));
        let phones = phones.into_iter().map(|phone| (phone.id, phone.name));
        Ok(Self {
            emails: emails.collect(),
            phones: phones.collect(),
            pushes,
        })
    }
}

fn line(format: Format, row: &SignOn, beside: &Beside) -> String {
    let at = |moment: Moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    let verdict = STATES.iter().find(|(state, _)| *state == row.state);
    let verdict = verdict.map_or("", |(_, word)| word);
    let reason = Reason::of(row.failure).map(Reason::word);
    let email = beside.emails.get(&row.client_id);
    let phone = row.device_id.and_then(|id| beside.phones.get(&id));
    let liveness = row.liveness.map(|liveness| liveness.to_value());
    let push = beside.pushes.get(&row.id).map(|reached| reached.word());
    let (ended, redeemed) = (row.decided_at.map(at), row.redeemed_at.map(at));
    match format {
        Format::Ndjson => {
            let line = json!({
                "sign_on_id": row.id, "client_id": row.client_id, "email": email, "verdict": verdict,
                "reason": reason, "asked_at": at(row.created_at), "ended_at": ended,
                "redeemed_at": redeemed, "browser": row.browser, "os": row.os, "address": row.ip, "place": row.place,
                "number": row.number.is_some(), "test": row.test_identity.is_some(),
                "device_id": row.device_id, "device": phone, "liveness": liveness, "push": push,
            });
            format!("{line}\n")
        }
        Format::Csv => {
            let cells = [
                row.id.to_string(),
                row.client_id.to_string(),
                cell(email.map_or("", String::as_str)),
                verdict.to_owned(),
                reason.unwrap_or_default().to_owned(),
                at(row.created_at),
                ended.unwrap_or_default(),
                redeemed.unwrap_or_default(),
                cell(&row.browser),
                cell(&row.os),
                cell(&row.ip),
                cell(&row.place),
                row.number.is_some().to_string(),
                row.test_identity.is_some().to_string(),
                row.device_id.map(|id| id.to_string()).unwrap_or_default(),
                cell(phone.map_or("", String::as_str)),
                liveness.unwrap_or_default(),
                push.unwrap_or_default().to_owned(),
            ];
            format!("{}\r\n", cells.join(","))
        }
    }
}
