//! Every comparison of a data set, counted by what came of it.

use std::collections::BTreeMap;

use face::{FmrLevel, PackInfo, Template};

use super::enrol::Sample;
use super::histogram::Histogram;
use super::results::Pair;

/// Number of levels a pack has thresholds for.
pub(super) const LEVELS: usize = FmrLevel::ALL.len();

/// What one person enrolled: some of their photos, fused.
pub(super) struct Reference<'a> {
    pub person: usize,
    /// Which probes are in it.
    photos: Vec<usize>,
    template: Template,
    samples: Vec<&'a Sample>,
}

/// What one photo shows to the sensor.
pub(super) struct Probe<'a> {
    pub person: usize,
    template: &'a Template,
    sample: &'a Sample,
}

/// The samples that have a template, as probes; persons are numbered in order of their names.
pub(super) fn probes<'a>(
    samples: impl IntoIterator<Item = &'a Sample> + Clone,
) -> (Vec<Probe<'a>>, usize) {
    let mut names: Vec<&str> = samples
        .clone()
        .into_iter()
        .filter(|s| s.template.is_ok())
        .map(|s| s.photo.person.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let probes = samples
        .into_iter()
        .filter_map(|sample| {
            Some(Probe {
                person: names.binary_search(&sample.photo.person.as_str()).ok()?,
                template: sample.template.as_ref().ok()?,
                sample,
            })
        })
        .collect();
    (probes, names.len())
}

/// The references of every person with at least `enrolled` photos: each run of that many photos in the
/// order of their names, around the end to the beginning, so that each photo is in equally many.
pub(super) fn references<'a>(probes: &[Probe<'a>], enrolled: usize) -> Vec<Reference<'a>> {
    let mut by_person: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, probe) in probes.iter().enumerate() {
        by_person.entry(probe.person).or_default().push(i);
    }
    let mut references = Vec::new();
    for (person, photos) in by_person {
        let runs = match photos.len() {
            n if n < enrolled => 0,
            n if n == enrolled => 1,
            n => n,
        };
        for start in 0..runs {
            let run: Vec<usize> = photos
                .iter()
                .cycle()
                .skip(start)
                .take(enrolled)
                .copied()
                .collect();
            let chosen: Vec<&Probe<'_>> = run.iter().filter_map(|i| probes.get(*i)).collect();
            let templates: Vec<Template> = chosen.iter().map(|p| p.template.clone()).collect();
            let fused = match templates.as_slice() {
                [one] => Ok(one.clone()),
                several => Template::fuse(several),
            };
            // All templates come from one engine, so they can always be fused.
            if let Ok(template) = fused {
                let samples = chosen.iter().map(|p| p.sample).collect();
                references.push(Reference {
                    person,
                    photos: run,
                    template,
                    samples,
                });
            }
        }
    }
    references
}

/// Everything that is counted.
pub(super) struct Tally {
    pub mated: Histogram,
    pub non_mated: Histogram,
    /// Reference and probe of the mated pair that is farthest apart, with their distance.
    pub worst_mated: Option<(f32, usize, usize)>,
    /// The same of the non-mated pair that is nearest.
    pub best_non_mated: Option<(f32, usize, usize)>,
    /// By person: mated comparisons, and how many of them each level refuses.
    pub refused: Vec<(u64, [u64; LEVELS])>,
    /// By reference's person and probe's person: how many each level lets pass. Few pairs have any.
    pub passed: BTreeMap<(usize, usize), [u64; LEVELS]>,
}

impl Tally {
    fn new(pack: &PackInfo, persons: usize) -> Self {
        Self {
            mated: Histogram::new(pack),
            non_mated: Histogram::new(pack),
            worst_mated: None,
            best_non_mated: None,
            refused: vec![(0, [0; LEVELS]); persons],
            passed: BTreeMap::new(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.mated.merge(&other.mated);
        self.non_mated.merge(&other.non_mated);
        // In case of a tie the first pair stands out, however the work was shared out.
        self.worst_mated = [self.worst_mated, other.worst_mated]
            .into_iter()
            .flatten()
            .max_by(|a, b| a.0.total_cmp(&b.0).then((b.1, b.2).cmp(&(a.1, a.2))));
        self.best_non_mated = [self.best_non_mated, other.best_non_mated]
            .into_iter()
            .flatten()
            .min_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (mine, theirs) in self.refused.iter_mut().zip(&other.refused) {
            mine.0 += theirs.0;
            add(&mut mine.1, &theirs.1);
        }
        for (pair, levels) in &other.passed {
            add(self.passed.entry(*pair).or_default(), levels);
        }
    }
}

fn add(mine: &mut [u64; LEVELS], theirs: &[u64; LEVELS]) {
    mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
}

/// Compares every reference with every probe that is not in it; of single photos each pair once.
/// Uses all cores; the result does not depend on how many there are.
pub(super) fn compare(
    pack: &PackInfo,
    persons: usize,
    references: &[Reference<'_>],
    probes: &[Probe<'_>],
) -> Tally {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let thresholds = FmrLevel::ALL.map(|level| pack.threshold(level));
    let work = |worker: usize| {
        let mut tally = Tally::new(pack, persons);
        for (r, reference) in references.iter().enumerate().skip(worker).step_by(workers) {
            for (p, probe) in probes.iter().enumerate() {
                if takes_part(&reference.photos, p) {
                    count(&mut tally, &thresholds, (r, reference), (p, probe));
                }
            }
        }
        tally
    };
    let mut all = Tally::new(pack, persons);
    std::thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> = (0..workers).map(|w| scope.spawn(move || work(w))).collect();
        for worker in started {
            match worker.join() {
                Ok(tally) => all.merge(&tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all
}

/// Whether probe `p` is compared with a reference made of `photos`: not with itself, and of single
/// photos not in both directions.
fn takes_part(photos: &[usize], p: usize) -> bool {
    match photos {
        [one] => p > *one,
        several => !several.contains(&p),
    }
}

fn count(
    tally: &mut Tally,
    thresholds: &[f32; LEVELS],
    (r, reference): (usize, &Reference<'_>),
    (p, probe): (usize, &Probe<'_>),
) {
    // All templates come from one engine, so they are always comparable.
    let Ok(distance) = reference.template.distance(probe.template) else {
        return;
    };
    let matches = thresholds.map(|threshold| distance <= threshold);
    if reference.person == probe.person {
        tally.mated.add(distance);
        if let Some((trials, refused)) = tally.refused.get_mut(probe.person) {
            *trials += 1;
            add(refused, &matches.map(|m| u64::from(!m)));
        }
        if tally.worst_mated.is_none_or(|old| distance > old.0) {
            tally.worst_mated = Some((distance, r, p));
        }
    } else {
        tally.non_mated.add(distance);
        if matches.contains(&true) {
            let pair = (reference.person, probe.person);
            add(
                tally.passed.entry(pair).or_default(),
                &matches.map(u64::from),
            );
        }
        if tally.best_non_mated.is_none_or(|old| distance < old.0) {
            tally.best_non_mated = Some((distance, r, p));
        }
    }
}

/// The pair of a reference and a probe, by the names of their photos.
pub(super) fn pair(
    found: Option<(f32, usize, usize)>,
    references: &[Reference<'_>],
    probes: &[Probe<'_>],
) -> Option<Pair> {
    let (distance, r, p) = found?;
    let names: Vec<&str> = references
        .get(r)?
        .samples
        .iter()
        .map(|s| s.photo.name.as_str())
        .collect();
    Some(Pair {
        distance,
        a: names.join(" + "),
        b: probes.get(p)?.sample.photo.name.clone(),
    })
}
