//! How a limit that was reached travels.

use crate::{
    http::error::{ApiError, Code},
    limit::{Limited, Rule},
};

impl From<Limited> for ApiError {
    fn from(limited: Limited) -> Self {
        let text = limited.to_string();
        match limited {
            Limited::Over { rule, retry_after } => {
                Self::new(rule.into(), text).retry_after(retry_after)
            }
            Limited::Database(cause) => cause.into(),
        }
    }
}

impl From<Rule> for Code {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::PushByIp => Self::PushLimitedByIp,
            Rule::PushByClient => Self::PushLimitedByClient,
            Rule::VerifyByIp => Self::VerifyLimitedByIp,
            Rule::VerifyBySignOn => Self::VerifyLimitedBySignOn,
            Rule::Auth
            | Rule::Enrol
            | Rule::SignInByIp
            | Rule::SignInByAccount
            | Rule::MailByIp
            | Rule::MailByAddress
            | Rule::Other
            | Rule::Recorded => Self::RateLimited,
        }
    }
}
