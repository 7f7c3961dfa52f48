//! Whether the certificate that this program shows will be taken.

use chrono::TimeDelta;
use url::Url;

use super::finding::Finding;
use crate::platform::{
    clock::Moment,
    config::{Settings, TlsMode},
    tls::{self, Certificates},
};
use crate::trust;

/// Renewing by hand takes a while to be noticed as missing.
const SOON: TimeDelta = TimeDelta::days(14);

/// Looks at what `tls` says; `None` where this program does no TLS.
pub(super) fn look(settings: &Settings, now: Moment) -> Option<Finding> {
    match settings.tls.mode {
        TlsMode::Off => None,
        TlsMode::Own => Some(own(settings, now)),
        TlsMode::Files => Some(files(settings, now)),
    }
}

fn own(settings: &Settings, now: Moment) -> Finding {
    if !settings.data_dir.join("tls").exists() {
        return Finding::Mind("the first start makes a certificate authority of its own".into());
    }
    match Certificates::load(settings, now) {
        Ok(found) => {
            let authority = found.as_ref().and_then(Certificates::authority);
            let fingerprint = authority.map(tls::Authority::fingerprint);
            Finding::Mind(format!(
                "a certificate of its own: phones trust it at {} (SHA-256 {})",
                trust::address(&settings.public_url()),
                fingerprint.unwrap_or_default()
            ))
        }
        Err(error) => Finding::Wrong(error.to_string()),
    }
}

fn files(settings: &Settings, now: Moment) -> Finding {
    let shown = match tls::look(&settings.tls) {
        Ok(shown) => shown,
        Err(error) => return Finding::Wrong(error.to_string()),
    };
    let (file, until) = (settings.tls.certificate.display(), shown.until);
    let host = Url::parse(&settings.public_url()).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
    if !shown.is_for(host) {
        return Finding::Wrong(format!(
            "{file} is for {}, not for {host}, which browsers and phones call",
            shown.names.join(", ")
        ));
    }
    if until <= now {
        return Finding::Wrong(format!(
            "{file} ended on {until}: renew it, then send SIGHUP"
        ));
    }
    if until <= now + SOON {
        return Finding::Mind(format!(
            "{file} ends on {until}: renew it, then send SIGHUP"
        ));
    }
    Finding::Fine(format!("{file} is for {host}, until {until}"))
}
