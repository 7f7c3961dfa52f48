//! The mail server that letters leave by (SMTP).

use std::{fs, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use thiserror::Error;
use url::Url;
use uuid::Uuid;

use super::letter::Letter;
use crate::platform::{
    clock::Moment,
    config::{self, is_this_machine},
};

/// How long each step of the conversation may take. Less than a lease of the outbox.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the whole of it may take.
const WHOLE: Duration = Duration::from_secs(40);

/// Ports without and with TLS from the start (RFC 8314, section 7.3).
const PORTS: (u16, u16) = (587, 465);

/// Why a letter has not left.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotPosted {
    /// Not this time.
    #[error("{0}")]
    Later(String),
    /// Never: the server does not take it.
    #[error("{0}")]
    Never(String),
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A mail server, connected to for each letter.
#[derive(Debug)]
pub struct Server(config::Mail);

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// From the start.
    Tls,
    /// After the first words; where that is not offered, nothing is sent.
    StartTls,
    /// Not at all: it does not leave this machine.
    None,
}

impl Protection {
    fn of(url: &Url) -> Self {
        let is_here = url.host_str().is_some_and(is_this_machine);
        match (url.scheme(), is_here) {
            ("smtps", _) => Self::Tls,
            (_, true) => Self::None,
            _ => Self::StartTls,
        }
    }
}

impl Server {
    pub(super) fn new(settings: &config::Mail) -> Self {
        Self(settings.clone())
    }

    /// Hands a letter over.
    pub(super) async fn send(
        &self,
        letter: &Letter,
        id: Uuid,
        now: Moment,
    ) -> Result<String, NotPosted> {
        let never = |error: String| NotPosted::Never(error);
        let from = self.0.from.parse();
        let from = from.map_err(|error| never(format!("mail.from: {error}")))?;
        let message = letter.message(&from, id, now).map_err(never)?;
        let transport = self.transport()?;
        match tokio::time::timeout(WHOLE, transport.send(message)).await {
            Ok(Ok(answer)) => Ok(format!(
                "{} {}",
                answer.code(),
                answer.first_line().unwrap_or_default()
            )),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(NotPosted::Later("the mail server took too long".to_owned())),
        }
    }

    /// Connects and says who one is, without a letter.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn try_out(&self) -> Result<(), NotPosted> {
        let transport = self.transport()?;
        match tokio::time::timeout(WHOLE, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(NotPosted::Later("it hangs up".to_owned())),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(NotPosted::Later("it took too long".to_owned())),
        }
    }

    fn transport(&self) -> Result<Transport, NotPosted> {
        let later = |error: &dyn std::fmt::Display| NotPosted::Later(error.to_string());
        let url = self.0.server().ok_or_else(|| later(&"mail.url is none"))?;
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let protection = Protection::of(&url);
        let port = if protection == Protection::Tls {
            PORTS.1
        } else {
            PORTS.0
        };
        let parameters = || TlsParameters::new(host.to_owned()).map_err(|error| later(&error));
        let tls = match protection {
            Protection::Tls => Tls::Wrapper(parameters()?),
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::None => Tls::None,
        };
        let mut built = Transport::builder_dangerous(host)
            .port(url.port().unwrap_or(port))
            .tls(tls)
            .hello_name(self.greeting())
            .timeout(Some(PATIENCE));
        if !url.username().is_empty() {
            let user = percent_decoded(url.username());
            built = built.credentials(Credentials::new(user, self.password()?));
        }
        Ok(built.build())
    }

    /// What this machine calls itself: the domain that letters are from.
    fn greeting(&self) -> ClientId {
        let from = self.0.from.parse::<lettre::message::Mailbox>();
        let domain = from.map(|from| from.email.domain().to_owned());
        ClientId::Domain(domain.unwrap_or_else(|_| "localhost".to_owned()))
    }

    /// Read each time, so that another one is taken without a restart.
    fn password(&self) -> Result<String, NotPosted> {
        let file = &self.0.password_file;
        if file.as_os_str().is_empty() {
            return Ok(self.0.password.clone());
        }
        let read = fs::read_to_string(file);
        let text = read.map_err(|error| {
            NotPosted::Later(format!("mail.password_file, {}: {error}", file.display()))
        })?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn percent_decoded(text: &str) -> String {
    // A form's encoding, but for two signs that are themselves here.
    let text = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or(String::new(), |(_, value)| value.into_owned())
}

/// A server that refuses for good is not asked again, but where it is us that it does not let in (53x): that is set right.
/// What it says is told, without the letter.
fn refused(error: &smtp::Error) -> NotPosted {
    let said = error.to_string();
    let code = error.status().map(|code| code.to_string());
    let is_for_us = code.is_some_and(|code| code.starts_with("53"));
    if error.is_permanent() && !is_for_us {
        NotPosted::Never(said)
    } else {
        NotPosted::Later(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_this_machine_in_plain_text() {
        for (url, protection) in [
            ("smtps://mail.example.com", Protection::Tls),
            ("smtps://127.0.0.1:465", Protection::Tls),
            ("smtp://mail.example.com", Protection::StartTls),
            ("smtp://10.0.0.1:25", Protection::StartTls),
            ("smtp://localhost.example.com", Protection::StartTls),
            ("smtp://127.0.0.1:25", Protection::None),
            ("smtp://localhost", Protection::None),
            ("smtp://[::1]:25", Protection::None),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(Protection::of(&url), protection, "{url}");
        }
    }

    #[test]
    fn a_user_may_be_an_address() {
        assert_eq!(percent_decoded("ann%40example.com"), "ann@example.com");
        assert_eq!(percent_decoded("ann+mail&x=y"), "ann+mail&x=y");
        assert_eq!(percent_decoded("ann"), "ann");
    }
}
