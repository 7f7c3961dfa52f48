//! The table `[accounts]`: who may have an account of the dashboard, and what lets them in.

use serde::Deserialize;

/// The table `[accounts]`: how one comes by an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Who may have one.
    pub sign_up: SignUp,
    /// Whether a password alone lets in.
    pub second_factor: SecondFactor,
}

/// Whether an account signs in by more than its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactor {
    /// As its person likes.
    Optional,
    /// By a passkey or its own face, as soon as it has one; until then it may do nothing but add one.
    Required,
}

/// Who may have an account, besides those whom whoever runs the installation lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Nobody else.
    Closed,
    /// Whoever is let in to an app by one of its owners.
    Invited,
    /// Whoever reads the mail of an address.
    Open,
}
