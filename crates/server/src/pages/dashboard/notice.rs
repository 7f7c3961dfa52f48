//! What the next page says of what was done before.

use serde::{Deserialize, Serialize};

/// A sentence, and whether things went as they should.
#[derive(Debug, Serialize, Deserialize)]
pub struct Notice {
    /// For people.
    pub(crate) sentence: String,
    /// Whether it went wrong.
    pub(crate) is_bad: bool,
}

impl Notice {
    /// It went wrong.
    #[must_use]
    pub fn bad(sentence: String) -> Self {
        Self {
            sentence,
            is_bad: true,
        }
    }
}

/// It went well.
impl<Text: Into<String>> From<Text> for Notice {
    fn from(sentence: Text) -> Self {
        Self {
            sentence: sentence.into(),
            is_bad: false,
        }
    }
}
