//! What an address asks the tracker for. Filters stand in it, so that what is seen can be sent to somebody else.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    client,
    http::error::ApiResult,
    platform::{clock::Moment, state::State as AppState},
    sign_on::{
        State,
        tracker::{After, Filter, Reason, STATES, Whose, find},
    },
    site::Site,
};

/// How far back may be looked: days, and how that is said.
pub(super) const SPANS: [(u32, &str); 3] = [(1, "24 hours"), (7, "7 days"), (30, "30 days")];

/// Most people whose attempts are shown for the beginning of an address or a name.
pub(super) const PEOPLE: u64 = 20;

/// What an address means on a site.
pub(super) struct Meant {
    pub(super) filter: Filter,
    /// Whether more people were found than are looked at.
    pub(super) is_cut: bool,
}

/// The query of an address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Words of [`STATES`], with commas between.
    pub(super) verdict: String,
    pub(super) reason: String,
    pub(super) days: String,
    /// An address or the beginning of one, a name, an id, an IP address.
    pub(super) q: String,
    pub(super) after: String,
    /// The attempt that is shown beside the list.
    pub(super) open: String,
}

impl Asked {
    pub(super) fn states(&self) -> Vec<State> {
        let words: Vec<&str> = self.verdict.split(',').collect();
        let states = STATES.iter().filter(|(_, word)| words.contains(word));
        states.map(|(state, _)| *state).collect()
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        let mut all = Reason::ALL.into_iter();
        all.find(|reason| reason.word() == self.reason)
    }

    fn span(&self) -> Option<u32> {
        let days: u32 = self.days.parse().ok()?;
        SPANS
            .iter()
            .map(|(days, _)| *days)
            .find(|span| *span == days)
    }

    pub(super) fn after(&self) -> Option<After> {
        self.after.parse().ok()
    }

    pub(super) fn open(&self) -> Option<Uuid> {
        self.open.parse().ok()
    }

    /// Whether this attempt is shown beside the list.
    pub(super) fn is_open(&self, id: &Uuid) -> bool {
        self.open() == Some(*id)
    }

    /// Whether anything narrows the list.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.states().is_empty()
            || self.reason().is_some()
            || self.span().is_some()
            || !self.q.trim().is_empty()
    }

    /// The same with another verdict, or without it.
    pub(super) fn toggled_verdict(&self, word: &str) -> Self {
        let mut words: Vec<&str> = self
            .verdict
            .split(',')
            .filter(|one| !one.is_empty())
            .collect();
        match words.iter().position(|one| *one == word) {
            Some(at) => drop(words.remove(at)),
            None => words.push(word),
        }
        Self {
            verdict: words.join(","),
            ..self.first()
        }
    }

    /// The same with another reason, or without it.
    pub(super) fn toggled_reason(&self, word: &str) -> Self {
        let is_there = self.reason == word;
        Self {
            reason: if is_there {
                String::new()
            } else {
                word.to_owned()
            },
            ..self.first()
        }
    }

    /// The same over another time, or over all of it.
    pub(super) fn toggled_span(&self, days: u32) -> Self {
        let is_there = self.span() == Some(days);
        Self {
            days: if is_there {
                String::new()
            } else {
                days.to_string()
            },
            ..self.first()
        }
    }

    /// The first page of the same.
    pub(super) fn first(&self) -> Self {
        Self {
            after: String::new(),
            open: String::new(),
            ..self.clone()
        }
    }

    /// The same with an attempt shown beside the list.
    pub(super) fn opened(&self, id: Uuid) -> Self {
        Self {
            open: id.to_string(),
            ..self.clone()
        }
    }

    /// The same page without an attempt beside it.
    pub(super) fn closed(&self) -> Self {
        Self {
            open: String::new(),
            ..self.clone()
        }
    }

    /// As it stands in an address, behind `?`.
    pub(super) fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let parts = [
            ("q", &self.q),
            ("verdict", &self.verdict),
            ("reason", &self.reason),
            ("days", &self.days),
            ("after", &self.after),
            ("open", &self.open),
        ];
        for (name, value) in parts {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// What it means on a site, where so many people are looked at.
    pub(super) async fn meant(
        &self,
        state: &AppState,
        site: &Site,
        now: Moment,
        people: u64,
    ) -> ApiResult<Meant> {
        let (whose, is_cut) = match self.q.trim() {
            "" => (None, false),
            words => {
                let (whose, is_cut) = whose(state, site, words, people).await?;
                (Some(whose), is_cut)
            }
        };
        let filter = Filter {
            states: self.states(),
            reason: self.reason(),
            since: self.span().map(|days| now - TimeDelta::days(days.into())),
            whose,
        };
        Ok(Meant { filter, is_cut })
    }
}

/// Whose attempts these words mean, and whether there are more people than that.
async fn whose(
    state: &AppState,
    site: &Site,
    words: &str,
    people: u64,
) -> ApiResult<(Whose, bool)> {
    if let Ok(id) = words.parse::<Uuid>() {
        let is_sign_on = find(&state.db, site.id, id).await?.is_some();
        let whose = if is_sign_on {
            Whose::SignOn(id)
        } else {
            Whose::Clients(vec![id])
        };
        return Ok((whose, false));
    }
    if let Ok(ip) = words.parse::<IpAddr>() {
        return Ok((Whose::Address(ip.to_string()), false));
    }
    let found = client::search(&state.db, site, words, None, people + 1).await?;
    let mut ids: Vec<Uuid> = found.into_iter().map(|client| client.id).collect();
    let people = usize::try_from(people).unwrap_or(usize::MAX);
    let is_cut = ids.len() > people;
    ids.truncate(people);
    Ok((Whose::Clients(ids), is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_are_put_in_and_taken_out() {
        let asked = Asked {
            verdict: "failed,nonsense".into(),
            q: "a b&c".into(),
            after: "1.2".into(),
            ..Asked::default()
        };
        assert_eq!(asked.states(), [State::Failed]);
        let both = asked.toggled_verdict("denied");
        assert_eq!(both.states(), [State::Failed, State::Denied]);
        assert_eq!(both.toggled_verdict("failed").states(), [State::Denied]);
        assert_eq!(both.query(), "q=a+b%26c&verdict=failed%2Cnonsense%2Cdenied");
        let reason = Asked::default().toggled_reason("face");
        assert_eq!(
            (reason.reason(), reason.query().as_str()),
            (Some(Reason::Face), "reason=face")
        );
        assert_eq!(reason.toggled_reason("face").query(), "");
        assert!(
            !Asked {
                days: "8".into(),
                ..Asked::default()
            }
            .is_narrowed()
        );
        assert!(Asked::default().toggled_span(7).is_narrowed());
    }
}
