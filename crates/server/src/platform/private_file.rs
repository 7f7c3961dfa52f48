//! Files and folders that only this program's user may open.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use zeroize::Zeroizing;

use super::secret;

/// Makes a folder, unless it is there.
///
/// # Errors
/// When it is missing and cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.exists() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Makes an empty file, unless it is there; SQLite gives its mode to the files beside it.
///
/// # Errors
/// When it is missing and cannot be made.
pub fn make_empty(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .map(|_| ())
}

/// Writes a new file, whole or not at all; one that is there already stays as it is.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    make_folder(folder)?;
    let draft = folder.join(format!(".{}", secret::public_name("new-", 8)));
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(out, "{}", text.trim_end())?;
    out.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Reads a file that holds a secret.
///
/// # Errors
/// When it cannot be read, or everybody on the machine may.
pub fn read(file: &Path) -> io::Result<Zeroizing<String>> {
    // A group may read it: that is how secrets are handed to containers.
    if fs::metadata(file)?.mode() & 0o007 != 0 {
        return Err(io::Error::other(
            "every user of this machine may read it; run chmod o-rwx on it",
        ));
    }
    fs::read_to_string(file).map(Zeroizing::new)
}
