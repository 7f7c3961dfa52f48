//! An attempt, as people read it.

use uuid::Uuid;

use crate::{
    client::Client,
    pages::dashboard::When,
    platform::clock::Moment,
    sign_on::{SignOn, State, tracker::Reason},
};

/// An attempt, with whose it is.
pub(super) struct Row {
    pub(super) id: Uuid,
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
    /// Seconds from the question to the verdict.
    pub(super) took: Option<i64>,
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
    pub(super) fn of(row: &SignOn, client: Option<&Client>, now: Moment) -> Self {
        let is_over = row.state == State::Pending && row.expires_at <= now;
        Self {
            id: row.id,
            client_id: row.client_id,
            email: client.map_or(String::new(), |client| client.email.clone()),
            name: client.map_or(String::new(), |client| client.full_name.clone()),
            state: if is_over { State::Expired } else { row.state },
            reason: Reason::of(row.failure),
            is_locked: client.is_some_and(|client| client.pass(now).is_err()),
            asked: When::new(row.created_at, now),
            decided: row.decided_at.map(|at| When::new(at, now)),
            redeemed: row.redeemed_at.map(|at| When::new(at, now)),
            took: row.decided_at.map(|at| (at - row.created_at).num_seconds()),
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
