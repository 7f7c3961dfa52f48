//! What the numbers of an evaluation cannot say.

use super::results::Comparisons;

/// With this many errors a rate is firm (ISO/IEC 19795-1, rule of 30).
const FIRM: &str = "With fewer than 30 errors of a kind its rate is not firm (rule of 30): read the interval, \
                    not the rate.";

/// Sentences for the reader, the gravest first.
pub(super) fn notes(trials: &[Comparisons], photos: usize, failures: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let single = trials.first();
    if single.is_none_or(|t| t.non_mated == 0) {
        notes.push(
            "There are no usable photos of two people, so false matches could not be measured. Add \
             folders of other people."
                .into(),
        );
    }
    if single.is_none_or(|t| t.mated == 0) {
        notes.push(
            "No person has two usable photos, so false non-matches could not be measured. Add a second \
             photo of each person, from another day if possible."
                .into(),
        );
    }
    for trial in trials.iter().skip(1).filter(|t| t.mated == 0) {
        notes.push(format!(
            "No person has {} usable photos, so enrolling {} could not be measured; the product enrols \
             several, and its rates are better than those of one.",
            trial.enrolled + 1,
            trial.enrolled
        ));
    }
    if failures * 10 > photos {
        notes.push(format!(
            "{failures} of {photos} photos gave no template and are in none of the comparisons. If they \
             are photos that people would send, add the failure to acquire to what people experience."
        ));
    }
    let levels = single.into_iter().flat_map(|t| &t.levels);
    let mut strangers = levels.filter(|l| l.fmr.at_most.is_some_and(|most| most > l.level.rate()));
    if let (Some(level), Some(trial)) = (strangers.next_back(), single.filter(|t| t.non_mated > 0))
    {
        notes.push(format!(
            "{} non-mated comparisons cannot show a false match rate of {}: that takes {} independent \
             ones without a false match. The pack's thresholds rest on what its manifest says, not on \
             this folder.",
            trial.non_mated,
            level.level,
            (3.0 / level.level.rate()).round()
        ));
    }
    let rates = trials
        .iter()
        .flat_map(|t| t.levels.iter().flat_map(|l| [l.fmr, l.fnmr]));
    if rates.into_iter().any(|r| r.errors > 0 && !r.is_firm()) {
        notes.push(FIRM.into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{pack, sample};
    use super::super::{Method, Sample, evaluate};

    fn all(samples: &[Sample]) -> String {
        evaluate(samples, &pack(), &Method::default())
            .notes
            .join("\n")
    }

    #[test]
    fn too_few_people_or_photos_are_named() {
        let one_person = all(&[sample("a/1.jpg", Some(0.0)), sample("a/2.jpg", Some(0.1))]);
        assert!(
            one_person.contains("folders of other people"),
            "{one_person}"
        );
        let one_each = all(&[sample("a/1.jpg", Some(0.0)), sample("b/1.jpg", Some(0.9))]);
        assert!(
            one_each.contains("second photo of each person"),
            "{one_each}"
        );
        assert!(
            one_each.contains("No person has 4 usable photos"),
            "{one_each}"
        );
        assert!(all(&[sample("a/1.jpg", None)]).contains("1 of 1 photos gave no template"));
    }

    #[test]
    fn a_small_folder_does_not_prove_a_small_rate() {
        let samples = [("a/1.jpg", 0.0), ("a/2.jpg", 0.45), ("b/1.jpg", 2.0)];
        let notes = all(&samples.map(|(name, at)| sample(name, Some(at))));
        assert!(
            notes.contains("cannot show a false match rate of 1/100000: that takes 300000"),
            "{notes}"
        );
        assert!(notes.contains("rule of 30"), "{notes}");
    }
}
