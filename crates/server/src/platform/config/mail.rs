//! The table `[mail]`: which server letters leave by, and what becomes of them where there is none.

use std::{fmt, net::IpAddr, path::PathBuf};

use lettre::message::Mailbox;
use serde::Deserialize;
use url::Url;

use super::Settings;

/// The table `[mail]`: server, sender and password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server; empty: none.
    pub url: String,
    /// Whom letters are from.
    pub from: String,
    /// The password of the user in `url`.
    pub password: String,
    /// The file that holds it.
    pub password_file: PathBuf,
}

/// Never the password.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("url", &self.url)
            .field("from", &self.from)
            .field("password_file", &self.password_file)
            .finish_non_exhaustive()
    }
}

/// What becomes of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailing {
    /// A mail server takes them.
    Server,
    /// They are printed in the terminal, and shown at `/dev/mail` to this machine: somebody develops here.
    Terminal,
    /// There are none.
    Nowhere,
}

/// A setting that cannot be what it is, and why.
type Wrong = (&'static str, &'static str);

impl Mail {
    pub(super) fn wrong(&self) -> Option<Wrong> {
        if self.url.is_empty() {
            return None;
        }
        let Some(url) = self.server() else {
            return Some((
                "mail.url",
                "give smtps://user@host, or smtp://user@host:587 for STARTTLS, or leave it empty",
            ));
        };
        if url.password().is_some() {
            let reason = "takes no password: set mail.password_file, or AXIAM_MAIL_PASSWORD in the environment";
            return Some(("mail.url", reason));
        }
        if self.from.parse::<Mailbox>().is_err() {
            let reason =
                "with mail.url set, say whom letters are from: \"Axiam <signin@example.com>\"";
            return Some(("mail.from", reason));
        }
        let has_file = !self.password_file.as_os_str().is_empty();
        match (url.username(), self.password.is_empty(), has_file) {
            (_, false, true) => Some(("mail.password", "set it or mail.password_file, not both")),
            ("", false, _) | ("", _, true) => Some((
                "mail.url",
                "names no user for the password: smtps://user@host",
            )),
            ("", true, false) => None,
            (_, true, false) => Some((
                "mail.password_file",
                "name the file with the password of the user in mail.url",
            )),
            _ => None,
        }
    }

    /// The server's address, if it is one.
    #[must_use]
    pub fn server(&self) -> Option<Url> {
        let url = Url::parse(&self.url).ok()?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
        (matches!(url.scheme(), "smtp" | "smtps") && url.has_host() && is_bare).then_some(url)
    }
}

/// Whether a host, as an address names it, is this machine.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

impl Settings {
    /// What becomes of letters. A server that others reach over TLS never shows them.
    #[must_use]
    pub fn mailing(&self) -> Mailing {
        let url = Url::parse(&self.public_url()).ok();
        let is_at_home = url.is_some_and(|url| url.host_str().is_some_and(is_this_machine));
        if !self.mail.url.is_empty() {
            Mailing::Server
        } else if is_at_home || self.is_plain_text() {
            Mailing::Terminal
        } else {
            Mailing::Nowhere
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(url: &str) -> Mail {
        Mail {
            url: url.to_owned(),
            from: "Axiam <signin@example.com>".to_owned(),
            password: String::new(),
            password_file: PathBuf::new(),
        }
    }

    #[test]
    fn a_server_is_told_whole_or_not_at_all() {
        let wrong = |mail: &Mail| mail.wrong().map(|(key, _)| key);
        for url in [
            "",
            "smtps://mail.example.com",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:25",
        ] {
            assert_eq!(wrong(&mail(url)), None, "{url}");
        }
        for url in [
            "mail.example.com",
            "https://mail.example.com",
            "smtp:mail.example.com",
            "smtps://mail.example.com/x",
            "smtps://mail.example.com?tls=none",
        ] {
            assert_eq!(wrong(&mail(url)), Some("mail.url"), "{url}");
        }
        let mut user = mail("smtps://axiam@mail.example.com");
        assert_eq!(wrong(&user), Some("mail.password_file"));
        user.password = "s3cret".into();
        assert_eq!(wrong(&user), None);
        assert!(!format!("{user:?}").contains("s3cret"));
        user.password_file = "/run/secrets/mail".into();
        assert_eq!(wrong(&user), Some("mail.password"));
        assert_eq!(
            wrong(&mail("smtps://axiam:s3cret@mail.example.com")),
            Some("mail.url")
        );
        let nobody = Mail {
            password: "s3cret".into(),
            ..mail("smtps://mail.example.com")
        };
        assert_eq!(wrong(&nobody), Some("mail.url"));
        let no_sender = Mail {
            from: "Axiam".into(),
            ..mail("smtps://mail.example.com")
        };
        assert_eq!(wrong(&no_sender), Some("mail.from"));
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "10.0.0.1",
            "[::]",
            "0.0.0.0",
            "evil.example",
            "",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
