//! Whether the file that names places can be used.

use chrono::TimeDelta;

use super::finding::Finding;
use crate::platform::{clock::Moment, config::Settings, places};

/// Networks change hands: files like this one are made anew each week or month.
const OLD: TimeDelta = TimeDelta::days(90);

/// Looks into the file; `None` where none is set.
pub(super) fn look(settings: &Settings, now: Moment) -> Option<Finding> {
    let file = &settings.sign_on.places;
    if file.as_os_str().is_empty() {
        return None;
    }
    Some(match places::look(file) {
        Ok((kind, made)) if made + OLD < now => Finding::Mind(format!(
            "{}: {kind} of {}: networks have moved since, put a newer file in its place and send SIGHUP",
            file.display(),
            made.date_naive()
        )),
        Ok((kind, made)) => Finding::Fine(format!(
            "{}: {kind} of {}",
            file.display(),
            made.date_naive()
        )),
        Err(error) => Finding::Wrong(error.to_string()),
    })
}
