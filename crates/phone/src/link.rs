//! What a QR code says: `https://server/phone/#token`.

use url::Url;

use crate::error::PhoneError;

/// Server address and enrolment token in `link`; a token alone is one for `server`.
///
/// # Errors
/// [`PhoneError::Link`] for anything else.
pub(crate) fn split(link: &str, server: &str) -> Result<(String, String), PhoneError> {
    let wrong = || PhoneError::Link(link.to_owned());
    if !link.contains("://") {
        let server = server.trim_end_matches('/').to_owned();
        let plain = !link.is_empty() && !link.contains(['/', '#', ' ']);
        return plain.then(|| (server, link.to_owned())).ok_or_else(wrong);
    }
    let url = Url::parse(link).map_err(|_| wrong())?;
    let token = url
        .fragment()
        .filter(|token| !token.is_empty())
        .ok_or_else(wrong)?;
    let base = url.path().strip_suffix("/phone/").ok_or_else(wrong)?;
    Ok((
        format!("{}{base}", url.origin().ascii_serialization()),
        token.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_server_and_token() {
        let split = |link: &str| split(link, "http://here:1/").ok();
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(
            split("https://a.example/phone/#et_x"),
            pair("https://a.example", "et_x")
        );
        assert_eq!(
            split("https://a.example/in/phone/#et_x"),
            pair("https://a.example/in", "et_x")
        );
        assert_eq!(split("et_x"), pair("http://here:1", "et_x"));
        for wrong in [
            "",
            "https://a.example/phone/",
            "https://a.example/#et_x",
            "a b",
            "a/b",
        ] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
