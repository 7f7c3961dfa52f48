//! Who answers a sign-on.

use uuid::Uuid;

use crate::{client::TestClient, device::Device};

/// Who answers. The second kind cannot be made for a live site.
#[derive(Clone, Copy)]
pub(super) enum Answerer<'a> {
    /// A phone of the client, whose proof was checked.
    Phone(&'a Device),
    /// A test identity, which has neither phone nor face and is never locked out.
    Test(TestClient<'a>),
}

impl Answerer<'_> {
    /// The phone that answers, if it is one.
    pub(super) fn device_id(self) -> Option<Uuid> {
        match self {
            Self::Phone(device) => Some(device.id),
            Self::Test(_) => None,
        }
    }

    /// Whether tokens and records are to say that it was a test.
    pub(super) fn is_test(self) -> bool {
        matches!(self, Self::Test(_))
    }

    /// What the audit record is to say, with the mark of a test.
    pub(super) fn note(self, text: &str) -> String {
        match (self, text) {
            (Self::Phone(_), text) => text.to_owned(),
            (Self::Test(test), "") => format!("test identity {}", test.identity().word()),
            (Self::Test(_), text) => format!("{}; {text}", self.note("")),
        }
    }
}
