//! The master key's file, and changing it for another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::RngExt as _;
use zeroize::Zeroizing;

use super::{error::KeyError, sealing::SealingKey};
use crate::platform::{clock::Moment, private_file};

/// The master key and where it came from.
pub(super) struct Master {
    file: PathBuf,
    key: SealingKey,
}

impl Master {
    /// Reads the file, or makes it where no key in the database needs another one.
    pub(super) fn load(file: &Path, is_needed: bool) -> Result<Self, KeyError> {
        if !file.exists() {
            if is_needed {
                return Err(KeyError::MasterMissing(file.display().to_string()));
            }
            private_file::write_new(file, &random())
                .map_err(|error| problem(file, error.to_string()))?;
        }
        Ok(Self {
            key: read(file)?,
            file: file.to_owned(),
        })
    }

    /// Opens a key. A key that this master key does not open may be sealed under the one that has
    /// taken its place since this program started: the file is read again.
    pub(super) fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.that_opens(about, sealed).map(|(plain, _)| plain)
    }

    /// What `sealed` holds, and the newer master key that opened it, if it was not this one.
    pub(super) fn that_opens(
        &self,
        about: &[u8],
        sealed: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Option<SealingKey>), KeyError> {
        if let Ok(plain) = self.key.open(about, sealed) {
            return Ok((plain, None));
        }
        for file in [&self.file, &next(&self.file)] {
            if let Ok(key) = read(file)
                && let Ok(plain) = key.open(about, sealed)
            {
                return Ok((plain, Some(key)));
            }
        }
        Err(KeyError::OtherMaster)
    }

    pub(super) fn key(&self) -> &SealingKey {
        &self.key
    }
}

/// Where a new master key waits until everything is sealed under it.
fn next(file: &Path) -> PathBuf {
    beside(file, "new")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

/// A master key that takes the place of another in three steps, each of which may be the last one
/// before a crash: write the new file, seal everything anew, move the new file into place. Until the
/// third is done both files are looked at.
pub(super) struct Change {
    file: PathBuf,
    /// The key in place.
    pub(super) old: SealingKey,
    /// The key to come.
    pub(super) new: SealingKey,
}

impl Change {
    /// Writes the new file, or takes up one that an interrupted change left.
    pub(super) fn begin(file: &Path) -> Result<Self, KeyError> {
        let (old, waiting) = (read(file)?, next(file));
        if !waiting.exists() {
            private_file::write_new(&waiting, &random())
                .map_err(|e| problem(&waiting, e.to_string()))?;
        }
        Ok(Self {
            new: read(&waiting)?,
            file: file.to_owned(),
            old,
        })
    }

    /// Moves the new file into place; the old one is kept for backups made with it. Its name.
    pub(super) fn finish(self, now: Moment) -> Result<PathBuf, KeyError> {
        let kept = beside(&self.file, &now.format("until-%Y%m%dT%H%M%SZ").to_string());
        let moved = || {
            fs::hard_link(&self.file, &kept)?;
            fs::rename(next(&self.file), &self.file)?;
            let folder = self.file.parent().filter(|f| !f.as_os_str().is_empty());
            fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        moved().map_err(|error: std::io::Error| problem(&self.file, error.to_string()))?;
        Ok(kept)
    }
}

fn problem(file: &Path, reason: String) -> KeyError {
    KeyError::File {
        file: file.display().to_string(),
        reason,
    }
}

/// 32 random bytes in base64.
fn random() -> Zeroizing<String> {
    let bytes = Zeroizing::new(rand::rng().random::<[u8; 32]>());
    Zeroizing::new(STANDARD.encode(bytes.as_slice()))
}

fn read(file: &Path) -> Result<SealingKey, KeyError> {
    let text = private_file::read(file).map_err(|error| problem(file, error.to_string()))?;
    let bytes = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_| problem(file, "is not base64".into()))?;
    SealingKey::new(&bytes).ok_or_else(|| problem(file, "must hold 32 bytes in base64".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_key_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("inner/master.key");
        let first = Master::load(&file, false).unwrap();
        let sealed = first.key().seal(b"", b"x").unwrap();
        assert!(
            Master::load(&file, false)
                .unwrap()
                .open(b"", &sealed)
                .is_ok()
        );
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        let told = Master::load(&file, true).err().unwrap().to_string();
        assert!(told.contains("may read it"), "{told}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Master::load(&file, true).is_ok());
        fs::write(&file, "nonsense").unwrap();
        assert!(matches!(
            Master::load(&file, false),
            Err(KeyError::File { .. })
        ));
    }

    #[test]
    fn a_change_may_end_after_any_step_and_be_taken_up_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        let running = Master::load(&file, false).unwrap();
        let first = Change::begin(&file).unwrap();
        let sealed = first.new.seal(b"", b"x").unwrap();
        // Sealed anew but not moved: a running server and one that starts now both open it.
        assert!(running.open(b"", &sealed).is_ok());
        assert!(
            Master::load(&file, false)
                .unwrap()
                .open(b"", &sealed)
                .is_ok()
        );
        let again = Change::begin(&file).unwrap();
        assert!(again.new.open(b"", &sealed).is_ok());
        let kept = again
            .finish("2026-01-02T03:04:05Z".parse().unwrap())
            .unwrap();
        assert!(kept.ends_with("master.key.until-20260102T030405Z"));
        assert!(running.open(b"", &sealed).is_ok());
        let (_, newer) = Master::load(&file, false)
            .unwrap()
            .that_opens(b"", &sealed)
            .unwrap();
        assert!(newer.is_none());
        for file in [&file, &kept] {
            assert_eq!(
                fs::metadata(file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert!(!next(&file).exists());
    }
}
