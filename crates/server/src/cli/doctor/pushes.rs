//! Whether phones can be woken, and whether they were lately.

use sea_orm::{DatabaseConnection, DbErr};

use super::finding::Finding;
use crate::{
    device,
    platform::{
        clock::{Clock, SystemClock, seconds},
        config::Settings,
    },
    push,
    site::Site,
};

/// How far back is looked, seconds: a day.
const LATELY: u32 = 86_400;

/// What there is to say of pushes.
pub(super) async fn look(
    settings: &Settings,
    db: &DatabaseConnection,
    sites: &[Site],
) -> Vec<Finding> {
    match found(settings, db, sites).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::Wrong(error.to_string())],
    }
}

async fn found(
    settings: &Settings,
    db: &DatabaseConnection,
    sites: &[Site],
) -> Result<Vec<Finding>, DbErr> {
    let (browsers, apps) = (
        device::woken_by(db, "web_push").await?,
        device::woken_by(db, "fcm").await?,
    );
    let accounts = push::accounts(db).await?;
    let mut findings = vec![Finding::Fine(format!(
        "{browsers} phone(s) woken by Web Push, {apps} by FCM; {} service account(s)",
        accounts.len()
    ))];
    if apps > 0 && accounts.is_empty() {
        findings.push(Finding::Mind(
            "native apps wait for pushes, and there is no service account: axiam push account set FILE"
                .into(),
        ));
    }
    let is_known = !settings.push.contact.is_empty() || settings.is_https();
    if browsers > 0 && !is_known {
        findings.push(Finding::Mind(
            "Apple's push service takes no sender without a contact: set push.contact, for example to \
             mailto:ops@example.com"
                .into(),
        ));
    }
    let since = SystemClock.now() - seconds(LATELY);
    for site in sites {
        let lately = push::lately(db, site.id, since).await?;
        if lately.failed > 0 {
            findings.push(Finding::Mind(format!(
                "{}: in a day {} push(es) were taken and {} were not, the last because: {}. More: axiam push list {} --failed",
                site.domain, lately.sent, lately.failed, lately.said, site.id
            )));
        }
    }
    Ok(findings)
}
