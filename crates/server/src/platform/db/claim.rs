//! One server on an embedded database, unless servers hear each other.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Says that a server runs on a database, for as long as this lives. The system forgets it with the
/// process, however that ends, so nothing is left to be cleaned up.
#[derive(Debug)]
pub struct Claim {
    _file: Option<File>,
}

/// Another server is in the way.
#[derive(Debug, Error)]
#[error(
    "another server runs on {}, and without Redis neither would hear of sign-ons that are answered through \
     the other: stop that one, or set redis.url for both",
    .0.display()
)]
pub struct Claimed(PathBuf);

impl Claim {
    /// Claims a database file: alone, or beside others who claim it so, too.
    ///
    /// # Errors
    /// [`Claimed`] when another server has done so.
    pub fn on(database: &Path, beside_others: bool) -> Result<Self, Claimed> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(PathBuf::from(name));
        let locked = opened.map_err(TryLockError::Error).and_then(|file| {
            let locked = if beside_others {
                file.try_lock_shared()
            } else {
                file.try_lock()
            };
            locked.map(|()| file)
        });
        match locked {
            Ok(file) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(Claimed(database.to_owned())),
            Err(TryLockError::Error(error)) => {
                // Some network file systems have no locks. Whoever runs one server there is fine.
                let file = database.display();
                tracing::warn!(%file, %error, "cannot tell whether another server runs on this database");
                Ok(Self { _file: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_several_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("axiam.db");
        let alone = Claim::on(&file, false).unwrap();
        assert!(Claim::on(&file, false).is_err() && Claim::on(&file, true).is_err());
        drop(alone);
        let _beside = (
            Claim::on(&file, true).unwrap(),
            Claim::on(&file, true).unwrap(),
        );
        assert!(Claim::on(&file, false).is_err());
        let other = folder.path().join("other.db");
        assert!(Claim::on(&other, false).is_ok());
    }

    #[test]
    fn where_nothing_can_be_locked_a_server_starts() {
        assert!(Claim::on(Path::new("/proc/axiam.db"), false).is_ok());
    }
}
