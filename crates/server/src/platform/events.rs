//! What happened, told to whoever listens. Slices publish here and know no listener; the cable listens.

use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::platform::{clock::Moment, code::Code, secret::Secret};

/// The site an event belongs to, and the prefix of its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSite {
    /// Id of the site that it happened on.
    pub site_id: Uuid,
    /// The prefix of the site's Redis channels, its `channel_prefix`.
    pub channel_prefix: String,
}

/// Something that happened and that a page or a phone may wait for.
#[derive(Clone)]
pub enum Event {
    /// A phone was paired.
    Registered {
        /// The site that it happened on.
        at: EventSite,
        /// The client whose phone was paired.
        client_id: Uuid,
        /// `login` or `signup`, as the site asked.
        flow_type: String,
    },
    /// A face was enrolled.
    Uploaded {
        /// The site that it happened on.
        at: EventSite,
        /// The client whose face was enrolled.
        client_id: Uuid,
        /// `login` or `signup`, as the site asked.
        flow_type: String,
    },
    /// A face was not enrolled: the photos cannot be used, or it is not the one that is there.
    EnrolmentFailed {
        /// The site that it happened on.
        at: EventSite,
        /// Whose face it would have replaced.
        client_id: Uuid,
        /// `login` or `signup`, as the site asked.
        flow_type: String,
        /// What the photos or the person failed at.
        code: Code,
    },
    /// Something became of one of a client's phones that the others are to know.
    PhoneChanged {
        /// The site that it happened on.
        at: EventSite,
        /// The client whose phone it is.
        client_id: Uuid,
        /// The phone.
        device_id: Uuid,
        /// What became of it.
        change: PhoneChange,
    },
    /// A phone has taken up the challenge.
    Scanning {
        /// The site that it happened on.
        at: EventSite,
        /// The sign-on that a phone took up.
        sign_on_id: Uuid,
    },
    /// A try failed and others are left.
    Retry {
        /// The site that it happened on.
        at: EventSite,
        /// The sign-on that the try belongs to.
        sign_on_id: Uuid,
        /// What the photos or the person failed at.
        failure: Failing,
        /// How many tries are left.
        left: i32,
    },
    /// A site asks a client's phones for a sign-on.
    Asked {
        /// The site that it happened on.
        at: EventSite,
        /// The client whose phones are asked.
        client_id: Uuid,
        /// The sign-on that waits.
        sign_on_id: Uuid,
    },
    /// An attempt came to its end.
    Decided {
        /// The site that it happened on.
        at: EventSite,
        /// The client whose sign-on it was.
        client_id: Uuid,
        /// The sign-on that ended.
        sign_on_id: Uuid,
        /// How it ended, and with what proof.
        verdict: Verdict,
    },
}

/// What can become of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneChange {
    /// It was paired and waits to be confirmed.
    Waits,
    /// It was confirmed.
    Confirmed,
    /// It was unpaired.
    Removed,
    /// A face was enrolled with it.
    Enrolled,
}

impl PhoneChange {
    /// As phones are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Confirmed => "confirmed",
            Self::Removed => "removed",
            Self::Enrolled => "enrolled",
        }
    }
}

/// What can fail a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// The probe is not the enrolled person's.
    Face,
    /// Another number than the page's.
    Number,
    /// The frames may not show a living person who did what was asked.
    Liveness,
}

impl From<Failing> for Code {
    fn from(failure: Failing) -> Self {
        match failure {
            Failing::Face => Code::FaceMismatch,
            Failing::Number => Code::NumberMismatch,
            Failing::Liveness => Code::LivenessFailed,
        }
    }
}

impl Failing {
    /// What fails with this number, if anything does.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        [Self::Face, Self::Number, Self::Liveness]
            .into_iter()
            .find(|failing| Code::from(*failing).number() == number)
    }
}

/// How an attempt ended.
#[derive(Clone)]
pub enum Verdict {
    /// The person was recognised.
    Verified {
        /// The client who signed on.
        client_id: Uuid,
        /// The address under which the site knows the client.
        email: String,
        /// The proof for the site's backend; gone once redeemed or expired.
        session_token: Option<Secret>,
        /// The moment of the match.
        at: Moment,
        /// Whether it was a test identity, on a site in test mode.
        test: bool,
    },
    /// No try is left.
    Failed(Failing),
    /// The person said no.
    Denied,
    /// Time ran out, or the site took it back.
    Expired,
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// The bus: listeners are called in order, at once, and must not block.
#[derive(Clone, Default)]
pub struct Events {
    listeners: Arc<RwLock<Vec<Listener>>>,
}

impl Events {
    /// Adds a listener for all that is published from now on.
    pub fn listen(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(listener));
    }

    /// Tells every listener of this server; those who are behind miss nothing, they look again.
    pub fn publish(&self, event: &Event) {
        let listeners = self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for listener in listeners {
            listener(event);
        }
    }
}
