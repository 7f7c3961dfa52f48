//! What a browser says of itself, for display only.

/// Name of the browser and of its system; empty where nothing is known.
#[must_use]
pub fn describe(user_agent: &str) -> (String, String) {
    let unknown = |text: &str| text.is_empty() || text == woothee::woothee::VALUE_UNKNOWN;
    let name = |text: &str| if unknown(text) { "" } else { text }.to_owned();
    woothee::parser::Parser::new()
        .parse(user_agent)
        .map(|found| (name(found.name), name(found.os)))
        .unwrap_or_default()
}
