//! A certificate authority for one private network: made once, kept in the data folder, trusted by
//! the phones of whoever installs it. Its certificate says that it may vouch for private names and
//! addresses alone, so that a stolen key opens nobody's bank.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{Datelike, TimeDelta};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use url::Host;

use super::{
    TlsError,
    names::{self, Name},
};
use crate::platform::{clock::Moment, private_file};

/// Life of the authority.
const LIFE: TimeDelta = TimeDelta::days(3650);
/// Life of what it signs: browsers take at most 398 days (Apple's and Chrome's root programs).
const SHORT_LIFE: TimeDelta = TimeDelta::days(397);
/// How much earlier it begins: clocks of phones go wrong by hours.
const EARLIER: TimeDelta = TimeDelta::days(2);

/// Where the certificate begins, after the key.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Who signs this server's certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    public_file: PathBuf,
}

impl Authority {
    /// The one in `data_dir/tls`, which is made where there is none.
    ///
    /// # Errors
    /// When its files cannot be read or written.
    pub fn load(data_dir: &Path, now: Moment) -> Result<Self, TlsError> {
        let folder = data_dir.join("tls");
        // Key and certificate in one file: there is never one without the other.
        let file = folder.join("authority.pem");
        if !file.exists() {
            private_file::write_new(&file, &make(now)?).map_err(|e| TlsError::file(&file, e))?;
        }
        let text = private_file::read(&file).map_err(|e| TlsError::file(&file, e))?;
        let certificate = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|e| TlsError::file(&file, format!("its certificate cannot be read: {e}")))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
            .map_err(|e| TlsError::file(&file, format!("its key cannot be read: {e}")))?;
        let key = KeyPair::try_from(&key)
            .map_err(|e| TlsError::file(&file, format!("its key cannot be used: {e}")))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .map_err(|e| TlsError::file(&file, format!("its certificate cannot be used: {e}")))?;
        let public_file = folder.join("authority.crt");
        let public = text.find(BEGIN).map_or("", |at| &text[at..]);
        if fs::read_to_string(&public_file).ok().as_deref() != Some(public) {
            fs::write(&public_file, public).map_err(|e| TlsError::file(&public_file, e))?;
        }
        Ok(Self {
            issuer,
            certificate,
            public_file,
        })
    }

    /// What phones install, as DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Where the same lies as PEM, for programs on this machine.
    #[must_use]
    pub fn public_file(&self) -> &Path {
        &self.public_file
    }

    /// SHA-256 of the certificate, in the form in which systems show it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes: Vec<String> = Sha256::digest(&self.certificate)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }

    /// Signs a new key for these names. It lives in memory alone.
    pub(super) fn certify(&self, names: &[Name], now: Moment) -> Result<CertifiedKey, TlsError> {
        let mut params = CertificateParams::default();
        live(&mut params, now, SHORT_LIFE);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Axiam");
        params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![signed.der().clone()];
        Ok(CertifiedKey::from_der(
            chain,
            key,
            &aws_lc_rs::default_provider(),
        )?)
    }
}

/// A new authority: its key and its certificate.
fn make(now: Moment) -> Result<String, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    live(&mut params, now, LIFE);
    params.distinguished_name = rcgen::DistinguishedName::new();
    // The end of the key's name tells two installations apart in a phone's list.
    let id = hex::encode(Sha256::digest(key.public_key_raw()));
    let name = format!("Axiam local network {}", &id[..8]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Names of other kinds, such as of mail, are not bounded by those below.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names::permitted(),
        excluded_subtrees: Vec::new(),
    });
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

fn alternative(name: &Name) -> Result<SanType, TlsError> {
    Ok(match name {
        Host::Domain(name) => SanType::DnsName(name.as_str().try_into()?),
        Host::Ipv4(ip) => SanType::IpAddress((*ip).into()),
        Host::Ipv6(ip) => SanType::IpAddress((*ip).into()),
    })
}

fn live(params: &mut CertificateParams, now: Moment, life: TimeDelta) {
    let day = |moment: Moment| {
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(moment.year(), small(moment.month()), small(moment.day()))
    };
    params.not_before = day(now - EARLIER);
    params.not_after = day(now - EARLIER + life);
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, sync::Arc};

    use tokio_rustls::rustls::{
        Error, RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    /// What a browser says to a certificate of this authority that is for `name`, `days` from now.
    fn judged(authority: &Authority, name: &str, days: u64) -> Result<(), Error> {
        let now: Moment = NOW.parse().unwrap();
        let signed = authority
            .certify(&[Host::parse(name).unwrap()], now)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
            .build()
            .unwrap();
        let since = u64::try_from(now.timestamp()).unwrap() + days * 86_400;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(since));
        let name = ServerName::try_from(name.trim_matches(['[', ']'])).unwrap();
        verifier
            .verify_server_cert(&signed.cert[0], &[], &name, &[], time)
            .map(|_| ())
    }

    #[test]
    fn it_vouches_for_private_names_and_even_its_key_cannot_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::load(folder.path(), NOW.parse().unwrap()).unwrap();
        for name in [
            "localhost",
            "axiam.lan",
            "192.168.1.5",
            "[fd00::7]",
            "127.0.0.1",
        ] {
            judged(&authority, name, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in [
            "bank.example",
            "8.8.8.8",
            "[2001:db8::1]",
            "local.example.com",
        ] {
            assert!(judged(&authority, name, 0).is_err(), "{name}");
        }
        assert!(judged(&authority, "axiam.lan", 394).is_ok());
        assert!(judged(&authority, "axiam.lan", 396).is_err());
    }

    #[test]
    fn it_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let now = NOW.parse().unwrap();
        let first = Authority::load(folder.path(), now).unwrap();
        let again = Authority::load(folder.path(), now).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.fingerprint().len(), 95);
        let file = folder.path().join("tls/authority.pem");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = fs::read_to_string(first.public_file()).unwrap();
        assert!(public.starts_with(BEGIN) && !public.contains("PRIVATE"));
        for (text, words) in [
            ("", "cannot be read"),
            (public.as_str(), "its key cannot be read"),
        ] {
            fs::write(&file, text).unwrap();
            let told = Authority::load(folder.path(), now).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
