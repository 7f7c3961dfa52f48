//! Proof that a site is in test mode.

use super::Site;

/// A site in test mode. [`TestSite::of`] is the only way to one, so that what takes it cannot be
/// reached by a live site.
#[derive(Clone, Copy)]
pub struct TestSite<'a>(&'a Site);

impl<'a> TestSite<'a> {
    /// The site, if it is in test mode.
    #[must_use]
    pub fn of(site: &'a Site) -> Option<Self> {
        site.settings.test_mode.then_some(Self(site))
    }

    /// Which site.
    #[must_use]
    pub fn site(self) -> &'a Site {
        self.0
    }
}
