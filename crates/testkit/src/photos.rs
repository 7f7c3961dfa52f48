//! Real photos: crops of the demo pictures of the npm package that the default pack comes from,
//! and the photos in `../shared/faces` where that folder is there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Photos of a few people.
pub struct Photos {
    people: Vec<Vec<Vec<u8>>>,
}

impl Photos {
    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// A photo of a person; both count from 0.
    ///
    /// # Panics
    /// When there is no such photo.
    #[must_use]
    pub fn of(&self, person: usize, photo: usize) -> Vec<u8> {
        self.people[person][photo].clone()
    }
}

/// The folder of the repository, for files that are committed.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The photos, read once.
///
/// # Panics
/// When `make models` has not been run.
pub fn photos() -> &'static Photos {
    static PHOTOS: OnceLock<Photos> = OnceLock::new();
    PHOTOS.get_or_init(|| {
        let dir = root().join("models/build/demo-faces");
        let people = sorted(&dir)
            .iter()
            .map(|person| {
                sorted(person)
                    .iter()
                    .map(|photo| read(photo))
                    .collect::<Vec<_>>()
            })
            .filter(|photos| photos.len() >= 2)
            .collect::<Vec<_>>();
        assert!(
            people.len() >= 2,
            "no photos in {}: run `make models`",
            dir.display()
        );
        Photos { people }
    })
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}: run `make models`", dir.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn read(photo: &Path) -> Vec<u8> {
    fs::read(photo).unwrap_or_else(|error| panic!("{}: {error}", photo.display()))
}
