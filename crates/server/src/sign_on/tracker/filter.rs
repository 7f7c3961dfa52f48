//! Which attempts are meant.

use uuid::Uuid;

use crate::{
    platform::{clock::Moment, code::Code, events::Failing},
    sign_on::State,
};

/// What an attempt failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sign_on) enum Reason {
    Face,
    Liveness,
    Number,
}

impl Reason {
    pub(in crate::sign_on) const ALL: [Self; 3] = [Self::Face, Self::Liveness, Self::Number];

    /// As it stands in addresses.
    pub(in crate::sign_on) const fn word(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Liveness => "liveness",
            Self::Number => "number",
        }
    }

    /// For people.
    pub(in crate::sign_on) const fn words(self) -> &'static str {
        match self {
            Self::Face => "face did not match",
            Self::Liveness => "no living person",
            Self::Number => "wrong number",
        }
    }

    /// The code in the row.
    pub(in crate::sign_on) fn code(self) -> i32 {
        let failing = match self {
            Self::Face => Failing::Face,
            Self::Liveness => Failing::Liveness,
            Self::Number => Failing::Number,
        };
        Code::from(failing).number().into()
    }

    /// What a row's code says.
    pub(in crate::sign_on) fn of(code: Option<i32>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| Some(reason.code()) == code)
    }
}

/// Every way an attempt can stand, with its word in addresses.
pub(in crate::sign_on) const STATES: [(State, &str); 6] = [
    (State::Verified, "verified"),
    (State::Failed, "failed"),
    (State::Denied, "denied"),
    (State::Expired, "expired"),
    (State::Cancelled, "cancelled"),
    (State::Pending, "pending"),
];

/// Whose attempts, or from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sign_on) enum Whose {
    /// This one attempt.
    SignOn(Uuid),
    /// Those of these clients; of nobody where there are none.
    Clients(Vec<Uuid>),
    /// Those from this address.
    Address(String),
}

/// Which attempts are meant; all of a site's where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sign_on) struct Filter {
    /// Empty: however they ended.
    pub(in crate::sign_on) states: Vec<State>,
    pub(in crate::sign_on) reason: Option<Reason>,
    pub(in crate::sign_on) since: Option<Moment>,
    pub(in crate::sign_on) whose: Option<Whose>,
}

/// One reading of attempts, which an index has in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The one state; none: those of the filter, whichever comes.
    pub(super) state: Option<State>,
    /// The one client; none: everybody.
    pub(super) client: Option<Uuid>,
}

impl Filter {
    /// What is read one after another, so that each is read in its order.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let of = |state, client| Reading { state, client };
        match &self.whose {
            Some(Whose::Clients(ids)) => ids.iter().map(|id| of(None, Some(*id))).collect(),
            Some(Whose::SignOn(_)) => vec![of(None, None)],
            _ if self.states.is_empty() && self.reason.is_none() => vec![of(None, None)],
            _ => {
                let all = STATES.map(|(state, _)| state);
                let wanted = if self.states.is_empty() {
                    &all[..]
                } else {
                    &self.states
                };
                wanted.iter().map(|state| of(Some(*state), None)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_known_by_its_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of(Some(reason.code())), Some(reason));
        }
        assert_eq!((Reason::of(None), Reason::of(Some(1))), (None, None));
        assert_eq!(Reason::ALL.map(Reason::code), [1036, 1037, 1042]);
    }

    #[test]
    fn what_is_filtered_is_read_end_by_end_and_person_by_person() {
        let mut filter = Filter::default();
        let whole = Reading {
            state: None,
            client: None,
        };
        assert_eq!(filter.readings(), [whole]);
        filter.reason = Some(Reason::Face);
        assert_eq!(filter.readings().len(), STATES.len());
        filter.states = vec![State::Failed];
        assert_eq!(filter.readings()[0].state, Some(State::Failed));
        filter.whose = Some(Whose::Clients(vec![Uuid::nil()]));
        assert_eq!(filter.readings()[0].client, Some(Uuid::nil()));
        filter.whose = Some(Whose::Clients(Vec::new()));
        assert_eq!(filter.readings(), []);
    }
}
