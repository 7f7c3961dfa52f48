//! How phones are woken.

use serde::Deserialize;

/// The table `[push]`: how phones are woken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Whom push services ask when something is wrong; empty: the public address.
    pub contact: String,
    /// Where Firebase Cloud Messaging is.
    pub fcm: String,
    /// Where Google gives the tokens out that it takes.
    pub fcm_tokens: String,
}

impl Push {
    /// The setting that cannot be, and why.
    pub(super) fn wrong(&self) -> Option<(&'static str, &'static str)> {
        let is_address = ["mailto:", "https://"]
            .iter()
            .any(|way| self.contact.starts_with(way));
        let is_fine = self.contact.is_empty() || is_address;
        (!is_fine).then_some(("push.contact", "must begin with mailto: or https://"))
    }

    /// Whom push services may ask about an installation at this address: by mail or on the web.
    #[must_use]
    pub fn contact(&self, public_url: String) -> String {
        if self.contact.is_empty() {
            public_url
        } else {
            self.contact.clone()
        }
    }
}
