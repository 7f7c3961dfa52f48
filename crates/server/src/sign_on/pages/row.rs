//! An attempt, as people read it.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    client::{self, Client},
    http::error::ApiResult,
    pages::dashboard::When,
    platform::{clock::Moment, state::State as AppState},
    sign_on::{SignOn, State, tracker::Reason},
    site::Site,
};

/// Attempts with whose they are.
pub(super) async fn dressed(
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

/// Milliseconds as people say them.
pub(super) fn told(milliseconds: i64) -> String {
    let tenths = (milliseconds + 50) / 100;
    match tenths {
        ..100 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} s", (milliseconds + 500) / 1000),
    }
}

/// An attempt, with whose it is.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) site_id: Uuid,
    pub(super) client_id: Uuid,
    /// Empty where the client is erased meanwhile, or nobody knows the address.
    pub(super) email: String,
    pub(super) name: String,
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    pub(super) is_locked: bool,
    pub(super) asked: When,
    pub(super) decided: Option<When>,
    pub(super) redeemed: Option<When>,
    /// From the question to the verdict.
    pub(super) took: Option<String>,
    pub(super) browser: String,
    pub(super) ip: String,
    /// City and country, where they are known.
    pub(super) place: String,
    pub(super) with_number: bool,
    pub(super) tries_left: i32,
    pub(super) is_test: bool,
    /// Nobody was asked, because nobody could be.
    pub(super) is_decoy: bool,
    pub(super) query: String,
}

impl Row {
    fn of(row: &SignOn, client: Option<&Client>, now: Moment) -> Self {
        let is_over = row.state == State::Pending && row.expires_at <= now;
        Self {
            id: row.id,
            site_id: row.site_id,
            client_id: row.client_id,
            email: client.map_or(String::new(), |client| client.email.clone()),
            name: client.map_or(String::new(), |client| client.full_name.clone()),
            state: if is_over { State::Expired } else { row.state },
            reason: Reason::of(row.failure),
            is_locked: client.is_some_and(|client| client.pass(now).is_err()),
            asked: When::new(row.created_at, now),
            decided: row.decided_at.map(|at| When::new(at, now)),
            redeemed: row.redeemed_at.map(|at| When::new(at, now)),
            took: row
                .decided_at
                .map(|at| told((at - row.created_at).num_milliseconds())),
            browser: match (row.browser.as_str(), row.os.as_str()) {
                ("", os) => os.to_owned(),
                (browser, "") => browser.to_owned(),
                (browser, os) => format!("{browser} on {os}"),
            },
            ip: row.ip.clone(),
            place: row.place.clone(),
            with_number: row.number.is_some(),
            tries_left: row.tries_left,
            is_test: row.test_identity.is_some(),
            is_decoy: row.decoy,
            query: String::new(),
        }
    }

    /// The word on its chip, and the chip's kind.
    pub(super) fn chip(&self) -> (&'static str, &'static str) {
        if self.is_decoy {
            return ("nobody asked", "");
        }
        match self.state {
            State::Verified => ("verified", "good"),
            State::Failed => ("failed", "bad"),
            State::Denied => ("denied", "bad"),
            State::Expired => ("expired", "warn"),
            State::Cancelled => ("cancelled", ""),
            State::Pending => ("waiting", ""),
        }
    }

    /// Why it ended as it did, in a few words.
    pub(super) fn why(&self) -> &'static str {
        if self.is_decoy {
            return if self.email.is_empty() {
                "address is not known"
            } else {
                "locked, or no phone or face"
            };
        }
        match (self.state, self.reason) {
            (State::Failed, Some(reason)) => reason.words(),
            (State::Denied, _) => "refused on the phone",
            (State::Expired, Some(_)) => "gave up after a failed try",
            (State::Expired, None) => "nobody answered",
            (State::Cancelled, _) => "taken back by the site",
            (State::Verified, Some(_)) => "after a failed try",
            _ => "",
        }
    }

    /// What whoever looks at it can do.
    pub(super) fn what_now(&self) -> &'static str {
        if self.is_decoy {
            return "The page was not told. If it was them: see that they are known here, have a phone and a face, and are not locked out.";
        }
        match (self.state, self.reason) {
            (State::Verified | State::Pending | State::Cancelled, _) => "",
            _ if self.is_locked => {
                "They are locked out. Unlock them once you know that it was them."
            }
            (State::Failed, Some(Reason::Face)) => {
                "If it was them: even light from the front, and a look straight ahead. If it keeps failing, have them enrol again."
            }
            (State::Failed, Some(Reason::Liveness)) => {
                "If it was them: hold the phone still and follow its drawing slowly. If it was not, somebody held up a picture."
            }
            (State::Failed, Some(Reason::Number)) => {
                "If it was them: type the number that the page shows. If they saw no page, somebody else has theirs open."
            }
            (State::Failed, None) => "Ask them what the phone said.",
            (State::Denied, _) => {
                "Ask whether it was them. If not, somebody knows their address and tries it."
            }
            (State::Expired, _) => "See whether a phone of theirs is paired and was used lately.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        for (milliseconds, words) in [
            (0, "0.0 s"),
            (849, "0.8 s"),
            (8_449, "8.4 s"),
            (9_949, "9.9 s"),
            (9_950, "10 s"),
            (61_500, "62 s"),
        ] {
            assert_eq!(told(milliseconds), words);
        }
    }
}
