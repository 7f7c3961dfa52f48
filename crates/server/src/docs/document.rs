//! One page of the documentation.

use super::markdown::Rendered;

/// A page of the documentation.
#[derive(Debug)]
pub struct Document {
    /// Its address below `/docs/`.
    pub slug: String,
    /// The heading that the navigation shows it under.
    pub shelf: &'static str,
    /// Its Markdown, as `/docs/<slug>.md` serves it.
    pub markdown: String,
    pub(super) rendered: Rendered,
}

impl Document {
    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.rendered.title
    }

    /// Its first paragraph, as plain text.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.rendered.summary
    }
}
