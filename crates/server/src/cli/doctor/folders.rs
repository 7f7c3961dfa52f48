//! Whether the program can write where it must.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::finding::Finding;
use crate::platform::{config::Settings, db, secret};

/// Looks at the folders of the embedded database and of a master key that is yet to be made.
pub(super) fn look(settings: &Settings) -> Finding {
    let mut folders = Vec::new();
    if let Some(file) = db::file(&settings.database_url()) {
        if file.exists()
            && let Err(error) = fs::OpenOptions::new().append(true).open(&file)
        {
            return unwritable(&file, &error);
        }
        folders.push(folder_of(&file));
    }
    let master = settings.master_key_file();
    if !master.exists() {
        folders.push(folder_of(&master));
    }
    folders.dedup();
    for folder in &folders {
        // One that is missing will be made in the nearest that is there.
        let there = folder.ancestors().find(|at| at.exists()).unwrap_or(folder);
        if let Err(error) = try_to_write(there) {
            return unwritable(there, &error);
        }
    }
    let shown: Vec<String> = folders.iter().map(|at| at.display().to_string()).collect();
    match shown.is_empty() {
        true => Finding::Fine("nothing is written on this machine".into()),
        false => Finding::Fine(format!("{} can be written to", shown.join(" and "))),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Finding {
    Finding::Wrong(format!(
        "{} cannot be written to ({error}): give it to the user that the server runs as, or set \
         data_dir",
        path.display()
    ))
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|at| !at.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Makes a file and removes it: what modes and owners do not tell, such as a volume that is mounted to
/// be read only, or a folder that is none, is found out as well.
fn try_to_write(folder: &Path) -> io::Result<()> {
    let file = folder.join(secret::public_name(".axiam-doctor-", 8));
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)?;
    fs::remove_file(&file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Overrides;

    fn looked(data_dir: &Path) -> Finding {
        let overrides = Overrides {
            data_dir: Some(data_dir.to_owned()),
            ..Overrides::default()
        };
        look(&Settings::load(&overrides).unwrap())
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        // Not even root writes into these.
        for data_dir in [Path::new("/proc"), &file, &file.join("data")] {
            let found = looked(data_dir);
            assert!(
                matches!(&found, Finding::Wrong(text) if text.contains("cannot be written to")),
                "{}: {found:?}",
                data_dir.display()
            );
        }
        for data_dir in [folder.path(), &folder.path().join("to/be/made")] {
            assert!(matches!(looked(data_dir), Finding::Fine(_)));
        }
        // Only what is there was left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
