//! Moments as people read them.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono::SecondsFormat;

use crate::platform::clock::Moment;

/// A moment as HTML: how long ago, with the exact time for machines and on hover, and in seconds, so that the page's script
/// can let it age.
#[derive(Debug, Clone, Copy)]
pub struct When {
    moment: Moment,
    now: Moment,
}

impl When {
    /// A moment, as it is seen now.
    #[must_use]
    pub fn new(moment: Moment, now: Moment) -> Self {
        Self { moment, now }
    }

    /// How far away it is, as people say it.
    fn words(self) -> String {
        let seconds = (self.now - self.moment).num_seconds();
        let (away, is_past) = (seconds.unsigned_abs(), seconds >= 0);
        let (count, unit) = match away {
            ..5 => return "now".to_owned(),
            5..60 => (away, "second"),
            60..3600 => (away / 60, "minute"),
            3600..86_400 => (away / 3600, "hour"),
            _ => (away / 86_400, "day"),
        };
        if count > 60 && unit == "day" {
            return self.moment.format("%-d %b %Y").to_string();
        }
        let plural = if count == 1 { "" } else { "s" };
        match is_past {
            true => format!("{count} {unit}{plural} ago"),
            false => format!("in {count} {unit}{plural}"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<time datetime=\"{}\" title=\"{} UTC\" data-ago=\"{}\">{}</time>",
            self.moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            self.moment.format("%-d %b %Y %H:%M:%S"),
            (self.now - self.moment).num_seconds(),
            self.words()
        )
    }
}

/// Nothing in it comes from outside.
impl HtmlSafe for When {}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn moments_are_said_as_people_say_them() {
        let now = Moment::UNIX_EPOCH + TimeDelta::days(20_000);
        for (seconds, words) in [
            (0, "now"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7199, "1 hour ago"),
            (-7200, "in 2 hours"),
            (86_400 * 60, "60 days ago"),
            (86_400 * 61, "4 Aug 2024"),
        ] {
            let when = When::new(now - TimeDelta::seconds(seconds), now);
            assert_eq!(when.words(), words);
        }
        let html = When::new(now, now).to_string();
        assert_eq!(
            html,
            "<time datetime=\"2024-10-04T00:00:00Z\" title=\"4 Oct 2024 00:00:00 UTC\" data-ago=\"0\">now</time>"
        );
    }
}
