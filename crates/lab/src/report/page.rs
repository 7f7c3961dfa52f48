//! The report of an evaluation for people: one HTML file without anything from elsewhere.

use std::path::Path;

use askama::Template;
use face::FmrLevel;

use super::plot;
use super::words::{enrolled, gap_in_words, percent, rows};
use crate::evaluation::{Comparisons, Evaluation, FailedPhoto, GroupRates, LevelRates, Pair, Rate};

/// The page; every text is escaped, pictures are our own SVG.
#[derive(Template)]
#[template(path = "evaluation.html")]
struct Page<'a> {
    result: &'a Evaluation,
    folder: String,
    date: String,
    program: &'static str,
    summary: Vec<String>,
    acquire: Shown,
    enrol: Shown,
    trials: Vec<ShownTrial<'a>>,
    groups: Vec<ShownGroup<'a>>,
    by_level: Vec<ShownGroups<'a>>,
    det: String,
    distances: Vec<String>,
    rows: Vec<Row>,
    failures: &'a [FailedPhoto],
}

/// A rate as the page shows it.
struct Shown {
    count: String,
    rate: String,
    details: Vec<String>,
}

/// The comparisons with one number of photos.
struct ShownTrial<'a> {
    title: String,
    trial: &'a Comparisons,
    levels: Vec<ShownLevel>,
    pairs: Vec<(&'static str, &'a Pair, String)>,
    gap: Option<String>,
    equal: Option<String>,
}

struct ShownLevel {
    level: FmrLevel,
    threshold: String,
    /// First the FMR, then the FNMR.
    rates: [Shown; 2],
}

/// A group's column and value, between which a line may break.
type Name<'a> = (&'a str, &'a str);

/// How many of a group's photos are of use.
struct ShownGroup<'a> {
    name: Name<'a>,
    persons: usize,
    acquire: Shown,
}

/// The rates of all groups at one level.
struct ShownGroups<'a> {
    level: FmrLevel,
    threshold: String,
    /// Each group's name, and as of a trial first the FMR, then the FNMR.
    rows: Vec<(Name<'a>, [Shown; 2])>,
}

/// A row of the table of thresholds.
struct Row {
    threshold: String,
    fmr: String,
    fnmr: String,
    level: Option<FmrLevel>,
}

/// The report of `result`, measured on the photos in `dir`; `date` is printed as it is.
///
/// # Errors
/// Only if the page cannot be put together.
pub fn html(result: &Evaluation, dir: &Path, date: &str) -> Result<String, askama::Error> {
    let page = Page {
        result,
        folder: dir.display().to_string(),
        date: date.to_owned(),
        program: env!("CARGO_PKG_VERSION"),
        summary: result.trials.iter().rev().filter_map(summary).collect(),
        acquire: shown(&result.failure_to_acquire),
        enrol: shown(&result.failure_to_enrol),
        trials: result.trials.iter().map(shown_trial).collect(),
        groups: result.groups.iter().map(shown_group).collect(),
        by_level: by_level(&result.groups),
        det: plot::det(&result.trials),
        distances: result.trials.iter().map(plot::distances).collect(),
        rows: result.trials.first().map(table).unwrap_or_default(),
        failures: &result.failures,
    };
    page.render()
}

/// One sentence for the level that sites have by default.
fn summary(trial: &Comparisons) -> Option<String> {
    let level = trial
        .levels
        .iter()
        .find(|l| l.level == FmrLevel::default())?;
    if trial.mated == 0 || trial.non_mated == 0 {
        return None;
    }
    let told = |rate: &Rate| match rate.at_most {
        Some(most) => format!(
            "0 of {} (with 95 % confidence at most {})",
            rate.trials,
            percent(most)
        ),
        None => format!(
            "{} of {} ({})",
            rate.errors,
            rate.trials,
            percent(rate.rate)
        ),
    };
    Some(format!(
        "With {}, at the threshold for a false match rate of {}: strangers accepted {}; the right person \
         refused {}.",
        enrolled(trial),
        level.level,
        told(&level.fmr),
        told(&level.fnmr)
    ))
}

fn shown(rate: &Rate) -> Shown {
    let range = |[low, high]: [f64; 2]| {
        let (low, high) = (percent(low), percent(high));
        format!("{} – {high}", low.trim_end_matches(" %"))
    };
    if rate.trials == 0 {
        return Shown {
            count: "not measured".into(),
            rate: String::new(),
            details: Vec::new(),
        };
    }
    let mut details = vec![format!("Wilson {}", range(rate.wilson))];
    details.extend(rate.bootstrap.map(|b| format!("by persons {}", range(b))));
    details.extend(
        rate.at_most
            .map(|most| format!("rule of 3: at most {}", percent(most))),
    );
    Shown {
        count: format!("{} of {}", rate.errors, rate.trials),
        rate: percent(rate.rate),
        details,
    }
}

fn shown_trial(trial: &Comparisons) -> ShownTrial<'_> {
    let levels = trial.levels.iter().map(|level| ShownLevel {
        level: level.level,
        threshold: format!("{:.3}", level.threshold),
        rates: [shown(&level.fmr), shown(&level.fnmr)],
    });
    let pairs = [
        ("Worst mated", &trial.worst_mated),
        ("Best non-mated", &trial.best_non_mated),
    ];
    let gap = |gap: f32| format!("{gap:.3}: {}", gap_in_words(gap));
    ShownTrial {
        title: enrolled(trial),
        trial,
        levels: levels.collect(),
        pairs: pairs
            .into_iter()
            .filter_map(|(name, pair)| {
                let pair = pair.as_ref()?;
                Some((name, pair, format!("{:.3}", pair.distance)))
            })
            .collect(),
        gap: trial.gap.map(gap),
        equal: trial.equal_error_rate.map(percent),
    }
}

fn name(group: &GroupRates) -> Name<'_> {
    group.group.split_once('=').unwrap_or((&group.group, ""))
}

fn shown_group(group: &GroupRates) -> ShownGroup<'_> {
    ShownGroup {
        name: name(group),
        persons: group.persons,
        acquire: shown(&group.failure_to_acquire),
    }
}

/// Level by level, so that the groups stand below each other: all have the same levels.
fn by_level(groups: &[GroupRates]) -> Vec<ShownGroups<'_>> {
    let levels = groups.first().map_or(&[][..], |group| &group.levels);
    let of = |level: &LevelRates| {
        let rows = groups.iter().filter_map(|group| {
            let mut levels = group.levels.iter();
            let rates = levels.find(|other| other.level == level.level)?;
            Some((name(group), [shown(&rates.fmr), shown(&rates.fnmr)]))
        });
        ShownGroups {
            level: level.level,
            threshold: format!("{:.3}", level.threshold),
            rows: rows.collect(),
        }
    };
    levels.iter().map(of).collect()
}

fn table(trial: &Comparisons) -> Vec<Row> {
    let marked = |threshold: f64| {
        let same = |l: &&LevelRates| (f64::from(l.threshold) - threshold).abs() < 1e-6;
        trial.levels.iter().find(same).map(|l| l.level)
    };
    rows(trial)
        .into_iter()
        .map(|(rates, _)| Row {
            threshold: format!("{:.3}", rates.threshold),
            fmr: percent(rates.fmr),
            fnmr: percent(rates.fnmr),
            level: marked(rates.threshold),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{groups, pack, sample};
    use crate::evaluation::{Method, evaluate};

    #[test]
    fn groups_have_a_section_if_there_are_any() {
        let samples = [
            sample("ann/1.jpg", Some(0.0)),
            sample("ann/2.jpg", Some(0.45)),
            sample("eve/1.jpg", Some(0.1)),
            sample("eve/2.jpg", None),
            sample("bob/1.jpg", Some(0.2)),
        ];
        let page = |groups| {
            let method = Method {
                groups,
                ..Method::default()
            };
            let result = evaluate(&samples, &pack(), &method);
            html(&result, Path::new("photos"), "30 November 2026").unwrap()
        };
        assert!(!page(None).contains("Error rates by group"));
        let table = groups("person,group\nann,a&b\neve,a&b\nbob,c\n");
        let told = page(Some(table));
        let (_, told) = told.split_once("Error rates by group</h2>").unwrap();
        let (told, _) = told.split_once("</section>").unwrap();
        // One table for failures to acquire, one for each level; names are somebody else's text.
        assert_eq!(told.matches("<table ").count(), 4);
        assert_eq!(told.matches("group=<wbr>a&#38;b</th>").count(), 4);
        assert_eq!(told.matches("group=<wbr>c</th>").count(), 4);
        assert!(told.contains("1 of 4") && told.contains("Wilson 4.6 – 70 %"));
        // Within the first group both comparisons of strangers match; of the other there is but one photo.
        assert!(told.contains("2 of 2") && told.contains("not measured"));
    }
}
