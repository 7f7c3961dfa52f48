//! What is limited, and by how much.

use super::rate::Rate;
use crate::platform::config::Limits;

/// A kind of request that is counted, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Pushes by the person's address.
    PushByIp,
    /// Pushes to one client.
    PushByClient,
    /// Scans by the phone's address.
    VerifyByIp,
    /// Scans for one sign-on.
    VerifyBySignOn,
    /// Failed `application_auth` by the caller's address.
    Auth,
    /// Faces sent for enrolment by one phone.
    Enrol,
    /// Passwords for the dashboard by the caller's address.
    SignInByIp,
    /// Passwords for one account.
    SignInByAccount,
    /// Letters asked for at the dashboard's door by the caller's address.
    MailByIp,
    /// Letters of one kind to one address.
    MailByAddress,
    /// Any other limited route by address.
    Other,
    /// Refusals of one kind that are recorded.
    Recorded,
}

impl Rule {
    pub(super) fn rate(self, limits: &Limits) -> Rate {
        Rate::new(self.most(limits), limits.window)
    }

    fn most(self, limits: &Limits) -> u32 {
        match self {
            Self::PushByIp => limits.push_per_ip,
            Self::PushByClient => limits.push_per_client,
            Self::VerifyByIp => limits.verify_per_ip,
            Self::VerifyBySignOn => limits.verify_per_sign_on,
            Self::Auth => limits.auth_per_ip,
            Self::Enrol => limits.enrol_per_device,
            Self::SignInByIp => limits.sign_in_per_ip,
            Self::SignInByAccount => limits.sign_in_per_account,
            Self::MailByIp => limits.mail_per_ip,
            Self::MailByAddress => limits.mail_per_address,
            Self::Other => limits.other_per_ip,
            Self::Recorded => 1,
        }
    }

    /// As the audit log has it: the setting that holds how many there may be.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PushByIp => "push_per_ip",
            Self::PushByClient => "push_per_client",
            Self::VerifyByIp => "verify_per_ip",
            Self::VerifyBySignOn => "verify_per_sign_on",
            Self::Auth => "auth_per_ip",
            Self::Enrol => "enrol_per_device",
            Self::SignInByIp => "sign_in_per_ip",
            Self::SignInByAccount => "sign_in_per_account",
            Self::MailByIp => "mail_per_ip",
            Self::MailByAddress => "mail_per_address",
            Self::Other => "other_per_ip",
            Self::Recorded => "recorded",
        }
    }
}
