//! Whether sites' tokens and proofs are used as they must be: mistakes that let strangers in and that no page shows.

use sea_orm::{DatabaseConnection, DbErr};

use super::finding::Finding;
use crate::{
    audit::{self, Action},
    cli::out::minute,
    http::token::TokenError,
    platform::clock::{Clock, SystemClock, seconds},
    sign_on,
    site::{self, Site},
};

/// How far back is looked, seconds: a week.
const LATELY: u32 = 7 * 86_400;

/// How long before its end a secret key is told of, seconds: two weeks.
const SOON: u32 = 14 * 86_400;

/// So many sign-ons without one that was redeemed are no accident.
const SOME: u64 = 3;

/// What there is to say of these sites; nothing where all is well.
pub(super) async fn look(db: &DatabaseConnection, sites: &[Site]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for site in sites {
        match of(db, site).await {
            Ok(found) => findings.extend(found.into_iter().map(Finding::Mind)),
            Err(error) => findings.push(Finding::Wrong(error.to_string())),
        }
    }
    findings
}

async fn of(db: &DatabaseConnection, site: &Site) -> Result<Vec<String>, DbErr> {
    let since = SystemClock.now() - seconds(LATELY);
    let domain = &site.domain;
    let mut found = Vec::new();
    let words = TokenError::InBrowser.to_string();
    let refused = (Action::AccessRefused, words.as_str());
    if audit::count(db, site.id, refused, since).await? > 0 {
        found.push(format!(
            "{domain}: browsers sent the site's token, so a page hands it out, and with it every account. Have the \
             backend ask for scope \"widget\" for its pages, then: axiam site rotate-secret {id} --overlap 0; \
             axiam site revoke-tokens {id}",
            id = site.id
        ));
    }
    let (now, soon) = (SystemClock.now(), SystemClock.now() + seconds(SOON));
    let secrets = site::live_secrets(db, site.id, now).await?;
    let last = secrets.iter().map(|key| key.expires_at).max_by_key(|end| {
        // What has no end outlives everything.
        (end.is_none(), *end)
    });
    match last {
        None => found.push(format!(
            "{domain}: it has no secret key that is taken: axiam site rotate-secret {}",
            site.id
        )),
        Some(Some(end)) if end < soon => found.push(format!(
            "{domain}: its last secret key ends {}: axiam site rotate-secret {}",
            minute(end),
            site.id
        )),
        Some(_) => {}
    }
    let (verified, redeemed) = sign_on::redemptions(db, site.id, since).await?;
    if verified >= SOME && redeemed == 0 {
        found.push(format!(
            "{domain}: {verified} sign-ons verified in a week, 0 redeemed. A backend that signs people in without \
             login/validate_session believes whatever a page says"
        ));
    }
    Ok(found)
}
