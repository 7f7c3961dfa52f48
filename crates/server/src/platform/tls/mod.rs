//! The certificate that this server shows: from files, or made for its own network by an
//! [`Authority`] of its own.

mod authority;
mod files;
mod names;

use std::{
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
        let key = certified(settings, authority.as_ref(), now)?;
        Ok(Some(Self {
            settings: settings.clone(),
            authority,
            current: RwLock::new(Current { key, since: now }),
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
        let key = certified(&self.settings, self.authority.as_ref(), now)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current { key, since: now };
        Ok(())
    }

    /// Signs a new certificate when the one in use is no longer young. Files are somebody else's to renew.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn keep_young(&self, now: Moment) -> Result<(), TlsError> {
        /// Much less than a certificate's life, so that one night of sleep does no harm.
        const YOUNG: TimeDelta = TimeDelta::days(30);
        // A clock that went back counts too: the certificate may not be valid yet.
        if self.authority.is_some() && (now - self.current().since).abs() > YOUNG {
            self.renew(now)?;
        }
        Ok(())
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

fn certified(
    settings: &Settings,
    authority: Option<&Authority>,
    now: Moment,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = match authority {
        Some(authority) => authority.certify(&names::of(settings)?, now)?,
        None => files::read(&settings.tls)?,
    };
    Ok(Arc::new(key))
}
