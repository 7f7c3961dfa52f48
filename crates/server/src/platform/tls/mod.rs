//! The certificate that this server shows: from files, or made for its own network by an
//! [`Authority`] of its own.

mod authority;
mod files;
mod names;

use std::{
    collections::BTreeSet,
    fmt, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::TimeDelta;
use thiserror::Error;
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

pub use self::{
    authority::Authority,
    files::{Shown, look},
    names::find_address,
};
use super::{
    clock::Moment,
    config::{Settings, TlsMode},
};

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read or written, or does not hold what it should.
    #[error("{}: {reason}", file.display())]
    File {
        /// The file in question.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that the authority of our own must not vouch for.
    #[error(
        "{0} is not a name or address of a private network: a certificate authority of your own must \
         not vouch for it. Leave it out of tls.names and server.public_url, or use tls.mode = \"files\" \
         with a certificate that browsers know already"
    )]
    Public(String),
    /// The addresses of this machine cannot be had.
    #[error("the addresses of this machine cannot be read: {0}")]
    Addresses(#[source] io::Error),
    /// A certificate could not be made.
    #[error("no certificate could be made: {0}")]
    Made(#[from] rcgen::Error),
    /// The key cannot be used with the certificate.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl TlsError {
    fn file(file: impl Into<PathBuf>, reason: impl fmt::Display) -> Self {
        Self::File {
            file: file.into(),
            reason: reason.to_string(),
        }
    }
}

/// The certificate in use, which can be replaced while the server runs.
#[derive(Debug)]
pub struct Certificates {
    settings: Settings,
    /// Who signs, where nobody else does.
    authority: Option<Authority>,
    current: RwLock<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    since: Moment,
    /// What it is for, where it is ours.
    names: BTreeSet<String>,
}

impl Certificates {
    /// As the settings say; `None` where they ask for none.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(settings: &Settings, now: Moment) -> Result<Option<Self>, TlsError> {
        let authority = match settings.tls.mode {
            TlsMode::Off => return Ok(None),
            TlsMode::Own => Some(Authority::load(&settings.data_dir, now)?),
            TlsMode::Files => None,
        };
        let current = match &authority {
            Some(authority) => Current::made(authority, &names::of(settings)?, now)?,
            None => Current::read(settings, now)?,
        };
        Ok(Some(Self {
            settings: settings.clone(),
            authority,
            current: RwLock::new(current),
        }))
    }

    /// Who signs, where this installation does it itself.
    #[must_use]
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// Reads the files again, or signs a new certificate for the names that the machine has now.
    /// Connections that are open stay as they are; after an error the certificate does.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn renew(&self, now: Moment) -> Result<(), TlsError> {
        let current = match &self.authority {
            Some(authority) => Current::made(authority, &names::of(&self.settings)?, now)?,
            None => Current::read(&self.settings, now)?,
        };
        self.show(current);
        Ok(())
    }

    /// Signs a new certificate when the one in use is no longer young, and when the machine has other names or addresses
    /// by now, as one has that was carried to another network. Files are somebody else's to renew.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn keep_young(&self, now: Moment) -> Result<(), TlsError> {
        match &self.authority {
            Some(authority) => self.keep_for(authority, &names::of(&self.settings)?, now),
            None => Ok(()),
        }
    }

    fn keep_for(
        &self,
        authority: &Authority,
        names: &[names::Name],
        now: Moment,
    ) -> Result<(), TlsError> {
        /// Much less than a certificate's life, so that one night of sleep does no harm.
        const YOUNG: TimeDelta = TimeDelta::days(30);
        let current = self.current();
        let is_other = current.names != written(names);
        // A clock that went back counts too: the certificate may not be valid yet.
        if is_other || (now - current.since).abs() > YOUNG {
            self.show(Current::made(authority, names, now)?);
        }
        if is_other {
            tracing::info!(
                "this machine has other names or addresses: the certificate was made anew for them"
            );
        }
        Ok(())
    }

    fn show(&self, new: Current) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = new;
    }

    fn current(&self) -> Current {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What connections are opened with.
    ///
    /// # Errors
    /// When the cryptography is not there.
    pub fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().key)
    }
}

impl Current {
    /// Signed for these names.
    fn made(authority: &Authority, names: &[names::Name], now: Moment) -> Result<Self, TlsError> {
        Ok(Self {
            key: Arc::new(authority.certify(names, now)?),
            since: now,
            names: written(names),
        })
    }

    /// From files.
    fn read(settings: &Settings, now: Moment) -> Result<Self, TlsError> {
        Ok(Self {
            key: Arc::new(files::read(&settings.tls)?),
            since: now,
            names: BTreeSet::new(),
        })
    }
}

/// In whatever order the system tells them.
fn written(names: &[names::Name]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use url::Host;

    use super::*;
    use crate::platform::config::Overrides;

    const NOW: &str = "2026-03-01T12:00:00Z";

    #[test]
    fn a_certificate_is_made_anew_when_the_machine_is_called_otherwise_or_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(&Overrides::default()).unwrap();
        settings.data_dir = folder.path().to_owned();
        settings.tls.mode = TlsMode::Own;
        let begun: Moment = NOW.parse().unwrap();
        let certificates = Certificates::load(&settings, begun).unwrap().unwrap();
        let authority = certificates.authority().unwrap();
        let shown = || certificates.current().key.cert[0].to_vec();
        let after = |days: i64, names: &[&str]| {
            let names: Vec<names::Name> =
                names.iter().map(|one| Host::parse(one).unwrap()).collect();
            let now = begun + TimeDelta::days(days);
            certificates.keep_for(authority, &names, now).unwrap();
            shown()
        };
        // It was made for whatever this machine is called.
        let home = after(0, &["localhost", "192.168.1.5"]);
        assert_eq!(after(1, &["192.168.1.5", "localhost"]), home);
        // Another network, at once; an address is gone; the first network again.
        let away = after(1, &["localhost", "10.20.30.40"]);
        let has = |certificate: &[u8], address: [u8; 4]| {
            certificate.windows(4).any(|window| window == address)
        };
        assert!(has(&away, [10, 20, 30, 40]) && !has(&away, [192, 168, 1, 5]));
        assert!(!has(&after(1, &["localhost"]), [10, 20, 30, 40]));
        let again = after(2, &["localhost", "192.168.1.5"]);
        assert!(has(&again, [192, 168, 1, 5]));
        assert_eq!(after(32, &["localhost", "192.168.1.5"]), again);
        assert_ne!(after(33, &["localhost", "192.168.1.5"]), again);
    }
}
