//! What a page is told of its sign-on, over the cable or by `login/status`.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::platform::{
    clock::Moment,
    code::Code,
    events::{Failing, Verdict},
};

/// One message to a page; its `status` says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PageStatus {
    /// Waiting for the person.
    Pending,
    /// The phone has taken up the challenge.
    Scanning,
    /// A try failed and others are left.
    Retry {
        /// The code of what failed.
        code: u16,
        /// A sentence for the person.
        user_message: &'static str,
        /// How many tries the person has left.
        attempts_left: i32,
    },
    /// The person was recognised.
    Verified {
        /// The client who signed on.
        client_id: Uuid,
        /// The address under which the site knows the client.
        email: String,
        /// For the site's backend; left out once redeemed or expired.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_session_token: Option<String>,
        /// When the face matched, RFC 3339.
        #[schema(value_type = String, format = DateTime)]
        verified_at: Moment,
        /// Only where it was a test identity, on a site in test mode.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        test: bool,
    },
    /// No try is left.
    Failed {
        /// The slug of what failed last.
        error: &'static str,
        /// The contract's number for how it ended.
        code: u16,
        /// A sentence for the person.
        user_message: &'static str,
        /// What a developer needs to know, in English.
        message: &'static str,
    },
    /// The person said no.
    Denied {
        /// A sentence for the person.
        user_message: &'static str,
        /// What a developer needs to know, in English.
        message: &'static str,
    },
    /// Time ran out, or the site took it back.
    Expired {
        /// A sentence for the person.
        user_message: &'static str,
        /// What a developer needs to know, in English.
        message: &'static str,
    },
}

impl PageStatus {
    /// A try failed and others are left.
    #[must_use]
    pub fn retry(failure: Failing, left: i32) -> Self {
        let code = Code::from(failure);
        Self::Retry {
            code: code.number(),
            user_message: code.user_message(),
            attempts_left: left,
        }
    }
}

impl From<&Verdict> for PageStatus {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Verified {
                client_id,
                email,
                session_token,
                at,
                test,
            } => Self::Verified {
                client_id: *client_id,
                email: email.clone(),
                client_session_token: session_token.as_ref().map(|t| t.reveal().to_owned()),
                verified_at: *at,
                test: *test,
            },
            Verdict::Failed(failure) => {
                let code = Code::from(*failure);
                Self::Failed {
                    error: code.slug(),
                    code: code.number(),
                    user_message: code.user_message(),
                    message: match failure {
                        Failing::Face => "no try is left; at the last the face did not match",
                        Failing::Number => "no try is left; at the last the number was another",
                        Failing::Liveness => "no try is left; the last proved no living person",
                    },
                }
            }
            Verdict::Denied => Self::Denied {
                user_message: "The sign-on was refused on the phone.",
                message: "the person said no",
            },
            Verdict::Expired => Self::Expired {
                user_message: "The sign-on ended without an answer. Please start again.",
                message: "nobody answered in time, or the site took it back",
            },
        }
    }
}
