//! What the sign-ons of one person must answer: the rules, without anything around them.

use chrono::TimeDelta;
use server::platform::clock::Moment;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    Pending,
    Verified,
    Failed,
    Denied,
    Cancelled,
}

/// What the model knows of a sign-on.
pub(super) struct SignOn {
    pub(super) token: String,
    pub(super) id: Uuid,
    pub(super) state: State,
    pub(super) tries_left: i64,
    pub(super) expires_at: Moment,
    /// The nonce now in force, or let go by, and until when.
    pub(super) challenge: Option<(String, Moment)>,
    /// The one that was given last.
    pub(super) given: Option<String>,
    pub(super) session: Option<(String, Moment)>,
    pub(super) is_redeemed: bool,
}

/// What the model knows of the person.
#[derive(Default)]
pub(super) struct Person {
    pub(super) failures: i64,
    pub(super) locked_until: Option<Moment>,
    pub(super) is_locked_for_good: bool,
}

impl Person {
    /// The code of a refusal; 0 where they may go on.
    pub(super) fn pass(&self, now: Moment) -> u64 {
        if self.is_locked_for_good {
            1017
        } else if self.locked_until.is_some_and(|until| until > now) {
            1016
        } else {
            0
        }
    }

    pub(super) fn fail(&mut self, now: Moment) {
        self.failures += 1;
        if self.failures >= 5 {
            self.locked_until = Some(now + TimeDelta::seconds(900));
        }
        self.is_locked_for_good |= self.failures >= 10;
    }
}

impl SignOn {
    /// The code of a refusal; 0 while it waits for a verdict.
    pub(super) fn open(&self, now: Moment) -> u64 {
        match self.state {
            State::Pending if self.expires_at > now => 0,
            State::Pending | State::Cancelled => 1030,
            State::Verified | State::Failed | State::Denied => 1031,
        }
    }

    pub(super) fn status(&self, now: Moment) -> &'static str {
        match self.state {
            State::Pending if self.expires_at > now => match self.challenge {
                Some(_) => "scanning",
                None => "pending",
            },
            State::Pending | State::Cancelled => "expired",
            State::Verified => "verified",
            State::Failed => "failed",
            State::Denied => "denied",
        }
    }

    /// A failed try.
    pub(super) fn fail(&mut self, person: &mut Person, now: Moment) {
        self.tries_left -= 1;
        self.challenge = None;
        person.fail(now);
        if self.tries_left == 0 || person.pass(now) != 0 {
            self.state = State::Failed;
        }
    }

    /// What a request for the challenge is answered.
    pub(super) fn take_up(&mut self, person: &mut Person, now: Moment) -> u64 {
        let refused = match self.open(now) {
            0 => person.pass(now),
            refused => refused,
        };
        if refused != 0 {
            return refused;
        }
        if self
            .challenge
            .as_ref()
            .is_some_and(|(_, until)| *until <= now)
        {
            self.fail(person, now);
            if self.state == State::Failed {
                return 1037;
            }
        }
        0
    }

    /// What an answer with this nonce is answered.
    pub(super) fn answer(
        &mut self,
        person: &mut Person,
        nonce: Option<&str>,
        is_owner: bool,
        now: Moment,
    ) -> u64 {
        let refused = match self.open(now) {
            0 => person.pass(now),
            refused => refused,
        };
        if refused != 0 {
            return refused;
        }
        let in_force = self.challenge.as_ref().filter(|(_, until)| *until > now);
        if nonce.is_none() || in_force.map(|(nonce, _)| nonce.as_str()) != nonce {
            return 1006;
        }
        if !is_owner {
            self.fail(person, now);
            return 1036;
        }
        self.challenge = None;
        self.state = State::Verified;
        (person.failures, person.locked_until) = (0, None);
        0
    }
}
