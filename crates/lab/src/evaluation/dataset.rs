//! The photos of a data set: one folder a person, photos inside, as LFW lays them out.

use std::path::{Path, PathBuf};

/// Endings of files taken for photos, lower case.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "heic", "heif"];

/// One photo of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Whose photo it is: the folder's name.
    pub person: String,
    /// Folder and file name, e.g. `person01/03.jpg`.
    pub name: String,
    pub(super) path: PathBuf,
}

/// Why a folder is no data set: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The folder or a photo cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says of it.
        error: std::io::Error,
    },
    /// There is nothing that looks like a photo.
    #[error(
        "{dir} holds no photos. Give each person a folder of its own and put that person's photos \
         inside, for example {dir}/ann/1.jpg, {dir}/ann/2.jpg, {dir}/bob/1.jpg", dir = .0.display()
    )]
    Empty(PathBuf),
    /// Photos lie where folders of persons should.
    #[error(
        "{photos} photos lie directly in {}, so nobody knows who is who. Put each person's photos \
         into a folder named after that person", dir.display()
    )]
    Flat {
        /// The folder they lie in.
        dir: PathBuf,
        /// How many there are.
        photos: usize,
    },
    /// The folders of persons lie one level deeper.
    #[error("the photos lie one level deeper: try {}", .0.display())]
    Deeper(PathBuf),
}

/// The photos under `dir`, sorted: `dir/<person>/<photo>`. Other files and deeper folders are ignored.
///
/// # Errors
/// [`DatasetError`] if the folder cannot be read, or has another layout.
pub fn photos(dir: &Path) -> Result<Vec<Photo>, DatasetError> {
    let mut photos = Vec::new();
    for folder in folders(dir)? {
        let Some(person) = folder.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        for path in files(&folder)? {
            if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
                photos.push(Photo {
                    person: person.to_owned(),
                    name: format!("{person}/{name}"),
                    path: path.clone(),
                });
            }
        }
    }
    photos.sort_by(|a, b| a.name.cmp(&b.name));
    if photos.is_empty() {
        return Err(odd(dir)?);
    }
    Ok(photos)
}

/// What is odd about a folder without photos of persons.
fn odd(dir: &Path) -> Result<DatasetError, DatasetError> {
    let flat = files(dir)?.len();
    if flat > 0 {
        return Ok(DatasetError::Flat {
            dir: dir.to_owned(),
            photos: flat,
        });
    }
    for folder in folders(dir)? {
        for inner in folders(&folder)? {
            if !files(&inner)?.is_empty() {
                return Ok(DatasetError::Deeper(folder));
            }
        }
    }
    Ok(DatasetError::Empty(dir.to_owned()))
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    entries(dir, |path| path.is_dir())
}

/// The photos right inside a folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    entries(dir, |path| {
        let ending = path.extension().and_then(|e| e.to_str());
        ending.is_some_and(|e| ENDINGS.contains(&e.to_ascii_lowercase().as_str())) && !path.is_dir()
    })
}

fn entries(dir: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DatasetError> {
    let unreadable = |error| DatasetError::Unreadable {
        path: dir.to_owned(),
        error,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        dir
    }

    fn problem(files: &[&str]) -> String {
        photos(folder(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn folders_are_walked_as_lfw_has_them() {
        let dir = folder(&["b/2.JPG", "b/1.png", "a/x.jpeg", "a/notes.txt", "stray.jpg"]);
        let names: Vec<_> = photos(dir.path())
            .unwrap()
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["a/x.jpeg", "b/1.png", "b/2.JPG"]);
    }

    #[test]
    fn other_layouts_are_told_what_to_do() {
        assert!(problem(&["notes.txt"]).contains("a folder of its own"));
        assert!(problem(&["1.jpg", "2.jpg"]).contains("2 photos lie directly in"));
        assert!(
            problem(&["lfw/ann/1.jpg"]).contains("try ")
                && problem(&["lfw/ann/1.jpg"]).ends_with("lfw")
        );
        let dir = folder(&["a/1.jpg"]);
        let missing = photos(&dir.path().join("missing")).unwrap_err();
        assert!(missing.to_string().contains("cannot be read"));
    }
}
