//! A certificate and its key that others made, in two PEM files.

use std::{fs, path::Path};

use tokio_rustls::rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::{extensions::GeneralName, prelude::FromDer};

use super::TlsError;
use crate::platform::{clock::Moment, config::Tls, private_file};

/// Reads both, and sees that they belong together.
pub(super) fn read(tls: &Tls) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&tls.certificate)?;
    let file = &tls.key;
    let text = private_file::read(file).map_err(|e| TlsError::file(file, e))?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|e| TlsError::file(file, format!("no private key in PEM: {e}")))?;
    // Refuses a key that is not the certificate's.
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
        TlsError::file(
            file,
            format!("not the key of {}: {error}", tls.certificate.display()),
        )
    })
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = fs::read(file).map_err(|e| TlsError::file(file, e))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| TlsError::file(file, format!("no certificates in PEM: {e}")))?;
    if chain.is_empty() {
        return Err(TlsError::file(file, "no certificate in PEM"));
    }
    Ok(chain)
}

/// What the first certificate of the file says.
#[derive(Debug)]
pub struct Shown {
    /// Until when it is valid.
    pub until: Moment,
    /// The names and addresses that it is for; one may begin with `*.`.
    pub names: Vec<String>,
}

impl Shown {
    /// Whether browsers take it for this host (RFC 9525: a `*` stands for one whole label).
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.names.iter().any(|name| {
            let under = name.strip_prefix("*.").zip(host.split_once('.'));
            name.eq_ignore_ascii_case(host)
                || under.is_some_and(|(rest, (_, parent))| rest.eq_ignore_ascii_case(parent))
        })
    }
}

/// Looks into the files.
///
/// # Errors
/// When they cannot be used.
pub fn look(tls: &Tls) -> Result<Shown, TlsError> {
    read(tls)?;
    let file = &tls.certificate;
    let chain = chain(file)?;
    let (_, found) = x509_parser::certificate::X509Certificate::from_der(&chain[0])
        .map_err(|e| TlsError::file(file, e))?;
    let until = Moment::from_timestamp(found.validity().not_after.timestamp(), 0)
        .ok_or_else(|| TlsError::file(file, "it ends at no time that there is"))?;
    let names = found
        .subject_alternative_name()
        .map_err(|e| TlsError::file(file, e))?
        .map(|found| found.value.general_names.iter().filter_map(name).collect());
    Ok(Shown {
        until,
        names: names.unwrap_or_default(),
    })
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => <[u8; 4]>::try_from(*bytes)
            .map(std::net::IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from))
            .ok()
            .map(|ip| ip.to_string()),
        _ => None,
    }
}
