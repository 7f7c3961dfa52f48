//! The face engine off the async threads, with a bound on how many photos it looks at at once, how
//! many may wait, and how many of the slow kind are among them; sites and phones take turns.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use face::{Asked, FaceEngine, Frame, PackInfo, PhotoError, PhotoFormat, Purpose, Scan, Template};
use metrics::{counter, histogram};
use thiserror::Error;

use super::{shares::Holder, turns::Turns};

/// Why a photo gave no template.
#[derive(Debug, Error)]
pub enum WorkError {
    /// Too many photos are waiting already.
    #[error("too many photos are waiting")]
    Overloaded,
    /// The photo cannot be used.
    #[error(transparent)]
    Photo(#[from] PhotoError),
}

/// The engine and its gates.
#[derive(Clone)]
pub struct Workers {
    engine: Arc<dyn FaceEngine>,
    /// Photos that take several times as long as others have half of the workers, so that the rest
    /// are always there for everyone else. A single worker takes turns.
    turns: Arc<Turns>,
}

impl Workers {
    /// `workers` photos at once (0: one a core), `queue` more may wait.
    #[must_use]
    pub fn new(engine: Arc<dyn FaceEngine>, workers: usize, queue: usize) -> Self {
        Self {
            engine,
            turns: Turns::of(Self::count(workers), queue),
        }
    }

    /// How many workers a setting stands for.
    #[must_use]
    pub fn count(workers: usize) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if workers == 0 { cores() } else { workers }
    }

    /// How many photos more may wait or be looked at.
    #[must_use]
    pub fn places_left(&self) -> usize {
        self.turns.places_left()
    }

    /// The pack in use.
    #[must_use]
    pub fn pack(&self) -> &PackInfo {
        self.engine.pack()
    }

    /// The template of the one face in `photo`, for the first of the holders and those that follow.
    ///
    /// # Errors
    /// When too much waits already, or the photo cannot be used.
    pub async fn template(&self, photo: Bytes, holders: &[Holder]) -> Result<Template, WorkError> {
        let slow = PhotoFormat::of(&photo).is_some_and(PhotoFormat::is_slow);
        self.work(slow, holders, move |engine| engine.template(&photo))
            .await
    }

    /// What the photos of one answer show: each with the number of its step and its time in
    /// milliseconds.
    ///
    /// # Errors
    /// When too much waits already, or a photo cannot be used.
    pub async fn scan(
        &self,
        photos: Vec<(Bytes, usize, i64)>,
        question: impl Ask,
        purpose: Purpose,
        holders: &[Holder],
    ) -> Result<Scan, WorkError> {
        let is_slow = |photo| PhotoFormat::of(photo).is_some_and(PhotoFormat::is_slow);
        let slow = photos.iter().any(|(photo, ..)| is_slow(photo));
        self.work(slow, holders, move |engine| {
            let frames: Vec<Frame<'_>> = photos
                .iter()
                .map(|(photo, step, at_ms)| Frame {
                    photo,
                    step: *step,
                    at_ms: *at_ms,
                })
                .collect();
            engine.scan(&frames, question.asked(), purpose)
        })
        .await
    }

    /// Work of the engine, when its turn has come.
    async fn work<T: Send + 'static>(
        &self,
        is_slow: bool,
        holders: &[Holder],
        work: impl FnOnce(&dyn FaceEngine) -> Result<T, PhotoError> + Send + 'static,
    ) -> Result<T, WorkError> {
        let asked = Instant::now();
        let Some(turn) = self.turns.take(holders, is_slow).await else {
            counter!("axiam_face_shed_total").increment(1);
            return Err(WorkError::Overloaded);
        };
        let engine = self.engine.clone();
        // The turn moves into the work: a caller that gives up does not make room before it ends.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            histogram!("axiam_face_wait_seconds").record(asked.elapsed().as_secs_f64());
            let begun = Instant::now();
            let result = work(&*engine);
            histogram!("axiam_face_work_seconds").record(begun.elapsed().as_secs_f64());
            result
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(PhotoError::Internal(error.to_string()).into()),
        }
    }
}

/// Whatever holds what was asked of a person while the engine looks.
pub trait Ask: Send + 'static {
    /// What the challenge asked of the person.
    fn asked(&self) -> Asked<'_>;
}
