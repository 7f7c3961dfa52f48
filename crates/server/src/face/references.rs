//! A client's references and the rule by which a probe is held against them. Pure.
//!
//! A probe is compared with the *mean* of the references, not with the nearest: the nearest of k would
//! give a stranger up to k chances, and the mean refuses fewer of the right people; what either does to
//! the error rates is measured in `docs/decisions/0014`.
//! Adapted references pull the mean along with a face that ages; so that they cannot pull it away, a
//! probe must also be near the mean of those that were enrolled.

use ::face::{FmrLevel, PackInfo, ProtectedTemplate, Template, TemplateError};
use sea_orm::{DeriveActiveEnum, EnumIter, entity::prelude::*};

use crate::platform::clock::Moment;

/// Most references of one enrolment. More photos are fused with their neighbours.
pub(super) const MOST_ENROLLED: usize = 3;
/// Most references taken from later scans; with the enrolled ones 5.
pub(super) const MOST_ADAPTED: usize = 2;
/// What a new reference must pass to be taken from a scan, and how near it must be to the enrolled ones.
const CONFIDENT: FmrLevel = FmrLevel::OneIn100000;
/// How near every probe must be to the enrolled references, whatever was adapted since.
const NEVER_BEYOND: FmrLevel = FmrLevel::OneIn1000;

/// Where a reference came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub(super) enum Source {
    /// The person, or the site, enrolled it.
    #[sea_orm(string_value = "enrolled")]
    Enrolled,
    /// A later photo of the same person, near the enrolled ones.
    #[sea_orm(string_value = "adapted")]
    Adapted,
}

/// One enrolled photo's template, as it is compared.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) id: Uuid,
    pub(super) source: Source,
    pub(super) created_at: Moment,
    pub(super) template: ProtectedTemplate,
}

/// All references of a client: at least one that was enrolled.
#[derive(Debug)]
pub(super) struct References {
    list: Vec<Reference>,
    /// Mean of those enrolled.
    origin: ProtectedTemplate,
    /// The mean of all references, compared beside each of them.
    mean: ProtectedTemplate,
}

impl References {
    /// The references, oldest first; `None` where none was enrolled.
    pub(super) fn new(list: Vec<Reference>) -> Result<Option<Self>, TemplateError> {
        let all: Vec<_> = list.iter().map(|one| one.template.clone()).collect();
        let enrolled: Vec<_> = of(&list, Source::Enrolled)
            .map(|one| one.template.clone())
            .collect();
        if enrolled.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            origin: ProtectedTemplate::fuse(&enrolled)?,
            mean: ProtectedTemplate::fuse(&all)?,
            list,
        }))
    }

    /// When the face was enrolled.
    pub(super) fn enrolled_at(&self) -> Option<Moment> {
        of(&self.list, Source::Enrolled)
            .map(|one| one.created_at)
            .max()
    }

    /// Those adapted, the oldest first, with their times.
    pub(super) fn adapted(&self) -> impl Iterator<Item = &Reference> {
        of(&self.list, Source::Adapted)
    }

    /// Whether a probe is of this person, at the false match rate the site asks for.
    pub(super) fn accept(
        &self,
        probe: &ProtectedTemplate,
        pack: &PackInfo,
        level: FmrLevel,
    ) -> Result<bool, TemplateError> {
        Ok(self.mean.matches(probe, pack, level)?
            && self.origin.matches(probe, pack, NEVER_BEYOND)?)
    }

    /// Whether photos of this person may stand beside the enrolled ones: each by itself, not only
    /// their mean, which could be moved step by step.
    pub(super) fn may_join(
        &self,
        frames: &[ProtectedTemplate],
        pack: &PackInfo,
        level: FmrLevel,
    ) -> Result<bool, TemplateError> {
        for frame in frames {
            if !self.origin.matches(frame, pack, level)? {
                return Ok(false);
            }
        }
        Ok(!frames.is_empty())
    }

    /// Whether a scan is so surely this person's that a reference may be taken from it.
    pub(super) fn may_adapt(
        &self,
        frames: &[ProtectedTemplate],
        pack: &PackInfo,
    ) -> Result<bool, TemplateError> {
        let probe = ProtectedTemplate::fuse(frames)?;
        Ok(
            self.mean.matches(&probe, pack, CONFIDENT)?
                && self.may_join(frames, pack, CONFIDENT)?,
        )
    }
}

fn of(list: &[Reference], source: Source) -> impl Iterator<Item = &Reference> {
    list.iter().filter(move |one| one.source == source)
}

/// The references of one enrolment: the frames that look straight ahead, and beside them what else of the answer shows the
/// face well, so that one enrolment knows a face as several photos do. Of that only such takes part as would match
/// by itself.
pub(super) fn gather(
    frames: &[Template],
    more: &[Template],
    pack: &PackInfo,
) -> Result<Vec<Template>, TemplateError> {
    let straight = Template::fuse(frames)?;
    let mut others = Vec::new();
    for other in more {
        if straight.distance(other)? <= pack.threshold(FmrLevel::OneIn10000) {
            others.push(other.clone());
        }
    }
    if others.is_empty() {
        return spread(frames, MOST_ENROLLED);
    }
    let mut all = vec![straight];
    all.extend(spread(&others, MOST_ENROLLED - 1)?);
    Ok(all)
}

/// At most `most` templates: where there are more photos, neighbours are fused, so that none is lost.
/// Neighbours show the same moment; apart from each other they show more of a person.
pub(super) fn spread(frames: &[Template], most: usize) -> Result<Vec<Template>, TemplateError> {
    let parts = frames.len().min(most).max(1);
    (0..parts)
        .map(|part| {
            let (from, to) = (
                part * frames.len() / parts,
                (part + 1) * frames.len() / parts,
            );
            Template::fuse(&frames[from..to])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ::face::Thresholds;

    use super::*;

    #[test]
    fn an_enrolment_keeps_what_else_shows_the_person_and_nobody_else() {
        let thresholds = Thresholds {
            one_in_1000: 0.6,
            one_in_10000: 0.5,
            one_in_100000: 0.4,
        };
        let pack = PackInfo::new("test", "1", thresholds);
        let at = |value: f32| Template::new(&pack, false, vec![value]).unwrap();
        let kept = |more: &[f32]| -> Vec<f32> {
            let more: Vec<Template> = more.iter().map(|value| at(*value)).collect();
            let kept = gather(&[at(0.0), at(0.2)], &more, &pack).unwrap();
            let from_zero = kept.iter().map(|one| one.distance(&at(0.0)).unwrap());
            from_zero.map(|d| (d * 100.0).round() / 100.0).collect()
        };
        // Without others, each photo that looks straight ahead is one.
        assert_eq!(kept(&[]), [0.0, 0.2]);
        assert_eq!(kept(&[0.4]), [0.1, 0.4]);
        assert_eq!(kept(&[0.3, 0.3, 0.5]), [0.1, 0.3, 0.4]);
        // Beyond 1/10,000 from the straight ones it may be someone else.
        assert_eq!(kept(&[0.65]), [0.0, 0.2]);
    }
}
