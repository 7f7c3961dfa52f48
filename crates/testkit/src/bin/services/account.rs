//! The account the servers run under: PostgreSQL refuses to be root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Uid, User};

use crate::Problem;

/// Who the servers run as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// We are nobody special: the servers run as we do.
    Own,
    /// We are root: the servers run as somebody with fewer rights.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Ourselves, or for root the first of `postgres` and `nobody` that exists.
    pub(crate) fn for_servers() -> Result<Self, Problem> {
        if !Uid::effective().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Other {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            })
            .ok_or_else(|| {
                "PostgreSQL refuses to run as root, and there is no account `postgres` or \
                 `nobody` to run it as. Create one (useradd --system postgres) or run the tests \
                 as another user."
                    .to_owned()
            })
    }

    /// A command that will run under this account, in a process group of its own: a Ctrl-C meant
    /// for the tests must not take their database away first.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).process_group(0);
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes a folder that belongs to this account alone.
    pub(crate) fn make_folder(self, folder: &Path) -> Result<(), Problem> {
        let made = fs::create_dir(folder)
            .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
            .and_then(|()| match self {
                Self::Own => Ok(()),
                Self::Other { uid, gid } => chown(folder, Some(uid), Some(gid)),
            });
        made.map_err(|error| format!("cannot make {}: {error}", folder.display()))
    }

    /// Where temporary folders may go: for another account only a place it can walk into.
    pub(crate) fn place_for_folders(self) -> PathBuf {
        let usual = std::env::temp_dir();
        let open_to_all = |path: &Path| {
            path.ancestors().all(|part| {
                fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
            })
        };
        match self {
            Self::Other { .. } if !open_to_all(&usual) => PathBuf::from("/tmp"),
            _ => usual,
        }
    }
}
