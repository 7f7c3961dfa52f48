//! Pauses between pushes that come to nothing, so that nobody is asked until they give in. ("MFA fatigue",
//! MITRE ATT&CK T1621.)

use super::origin::network;
use crate::{
    platform::clock::{Moment, seconds},
    sign_on::model::{SignOn, State as Stage},
};

/// How many of a client's attempts are looked at.
pub(super) const PUSHES_LOOKED_AT: u64 = 50;
/// Pushes older than this say nothing, seconds.
const MEMORY: u32 = 24 * 60 * 60;
/// The first pause, seconds; each further push doubles it.
const FIRST: u32 = 60;
/// The longest pause, seconds.
const LONGEST: u32 = 30 * 60;

/// Seconds until the next push may go out, if it may not now. `latest` are the client's attempts, the newest
/// first; `free` is how many may come to nothing before the first pause. From a network where the person
/// signed on before, nothing is held back: else anyone who asks often enough could keep them out.
pub(super) fn pause(latest: &[SignOn], from: &str, free: u32, now: Moment) -> Option<u64> {
    let is_known = !from.is_empty()
        && latest
            .iter()
            .any(|sign_on| sign_on.state == Stage::Verified && network(&sign_on.ip) == from);
    let since = now - seconds(MEMORY);
    let in_vain = latest
        .iter()
        .take_while(|sign_on| sign_on.state != Stage::Verified && sign_on.created_at > since)
        .count();
    let doublings = u32::try_from(in_vain).ok()?.checked_sub(free)?;
    let length = FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST);
    let until = latest.first()?.created_at + seconds(length);
    let left = (until - now).num_seconds();
    // A clock that was set back since must not hold anybody back for longer than the pause.
    let left = left.min(i64::from(length));
    (!is_known && left > 0).then(|| left.unsigned_abs())
}
