//! From photos to templates, on all cores.

use face::{FaceEngine, PhotoError, Template};

use super::dataset::{DatasetError, Photo};

/// What came of one photo.
#[derive(Debug)]
pub struct Sample {
    /// The photo it was made of.
    pub photo: Photo,
    /// Its template, or why there is none.
    pub template: Result<Template, PhotoError>,
}

/// Makes the templates, on all cores; `done` is called after each photo with the number finished.
/// The samples are in the order of the photos.
///
/// # Errors
/// [`DatasetError::Unreadable`]: a photo that cannot be read from disk ends the run.
pub fn enrol(
    engine: &dyn FaceEngine,
    photos: Vec<Photo>,
    mut done: impl FnMut(usize),
) -> Result<Vec<Sample>, DatasetError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut results: Vec<Option<Result<Template, PhotoError>>> = Vec::new();
    results.resize_with(photos.len(), || None);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, photos) = (sender.clone(), &next, &photos);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(photo) = photos.get(i) else { return };
                    let bytes =
                        std::fs::read(&photo.path).map_err(|error| DatasetError::Unreadable {
                            path: photo.path.clone(),
                            error,
                        });
                    // Nobody listens any more once another photo could not be read.
                    if sender
                        .send((i, bytes.map(|b| engine.template(&b))))
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (finished, (i, result)) in receiver.into_iter().enumerate() {
            if let Some(slot) = results.get_mut(i) {
                *slot = Some(result?);
            }
            done(finished + 1);
        }
        Ok(())
    })?;
    let samples = photos.into_iter().zip(results);
    Ok(samples
        .filter_map(|(photo, template)| {
            Some(Sample {
                photo,
                template: template?,
            })
        })
        .collect())
}
