//! The face engine off the async threads, with a bound on how many photos it looks at at once, how
//! many may wait, and how many of the slow kind are among them.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use face::{Asked, FaceEngine, Frame, PackInfo, PhotoError, PhotoFormat, Scan, Template};
use metrics::{counter, histogram};
use thiserror::Error;
use tokio::sync::Semaphore;

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
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
    /// For photos that take several times as long as others: half of the workers, so that the rest
    /// are always there for everyone else. A single worker takes turns.
    slow: Arc<Semaphore>,
}

impl Workers {
    /// `workers` photos at once (0: one a core), `queue` more may wait.
    #[must_use]
    pub fn new(engine: Arc<dyn FaceEngine>, workers: usize, queue: usize) -> Self {
        let workers = Self::count(workers);
        Self {
            engine,
            waiting: Arc::new(Semaphore::new(workers + queue)),
            working: Arc::new(Semaphore::new(workers)),
            slow: Arc::new(Semaphore::new((workers / 2).max(1))),
        }
    }

    /// How many workers a setting stands for.
    #[must_use]
    pub fn count(workers: usize) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if workers == 0 { cores() } else { workers }
    }

    /// The pack in use.
    #[must_use]
    pub fn pack(&self) -> &PackInfo {
        self.engine.pack()
    }

    /// The template of the one face in `photo`.
    ///
    /// # Errors
    /// When too much waits already, or the photo cannot be used.
    pub async fn template(&self, photo: Bytes) -> Result<Template, WorkError> {
        let slow = PhotoFormat::of(&photo).is_some_and(PhotoFormat::is_slow);
        self.work(slow, move |engine| engine.template(&photo)).await
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
    ) -> Result<Scan, WorkError> {
        let is_slow = |photo| PhotoFormat::of(photo).is_some_and(PhotoFormat::is_slow);
        let slow = photos.iter().any(|(photo, ..)| is_slow(photo));
        self.work(slow, move |engine| {
            let frames: Vec<Frame<'_>> = photos
                .iter()
                .map(|(photo, step, at_ms)| Frame {
                    photo,
                    step: *step,
                    at_ms: *at_ms,
                })
                .collect();
            engine.scan(&frames, question.asked())
        })
        .await
    }

    /// Work of the engine, when its turn has come.
    async fn work<T: Send + 'static>(
        &self,
        is_slow: bool,
        work: impl FnOnce(&dyn FaceEngine) -> Result<T, PhotoError> + Send + 'static,
    ) -> Result<T, WorkError> {
        let _place = self.waiting.clone().try_acquire_owned().map_err(|_| {
            counter!("axiam_face_shed_total").increment(1);
            WorkError::Overloaded
        })?;
        let asked = Instant::now();
        let turn = |gate: &Arc<Semaphore>| gate.clone().acquire_owned();
        // A slow photo waits for a slow place first, without keeping a worker from others.
        let slow = match is_slow {
            true => Some(turn(&self.slow).await),
            false => None,
        };
        let slow = slow.transpose().map_err(|_| WorkError::Overloaded)?;
        let turn = turn(&self.working)
            .await
            .map_err(|_| WorkError::Overloaded)?;
        let engine = self.engine.clone();
        // The turn moves into the work: a caller that gives up does not make room before it ends.
        let done = tokio::task::spawn_blocking(move || {
            let (_turn, _slow) = (turn, slow);
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
