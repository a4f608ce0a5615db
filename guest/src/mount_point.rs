//! What is made only to be mounted on. The directory it is made in keeps its times: nothing of it shows in what a box has changed.

use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, stat, utimensat};
use rustix::io::Errno;

use crate::launch::make_directories;

/// Makes a directory, with those above it, unless something is there. Links are followed.
///
/// # Errors
/// The kernel's.
pub fn directory(path: &Path) -> rustix::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    keeping_times(path, || make_directories(path))
}

/// Makes an empty file, with its directories, unless something is there. Links are followed.
///
/// # Errors
/// The kernel's.
pub fn file(path: &Path) -> rustix::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    keeping_times(path, || {
        if let Some(parent) = path.parent() {
            make_directories(parent)?;
        }
        let made = std::fs::File::options().append(true).create(true).open(path);
        made.map(drop)
            .map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))
    })
}

fn keeping_times(path: &Path, make: impl FnOnce() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
    let above = path
        .ancestors()
        .skip(1)
        .find_map(|above| Some((above, stat(above).ok()?)));
    make()?;
    let Some((above, stat)) = above else { return Ok(()) };
    let time = |tv_sec, nanoseconds: u64| Timespec {
        tv_sec,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    match utimensat(CWD, above, &times, AtFlags::empty()) {
        // A mount of somebody else's, whose times are of no interest.
        Err(Errno::PERM | Errno::ROFS | Errno::ACCESS) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_directory_above_keeps_its_time() {
        let base = std::env::temp_dir().join(format!("a3s-mount-point-{}", std::process::id()));
        fs::create_dir_all(base.join("old")).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
        fs::File::open(base.join("old"))
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let before = fs::metadata(base.join("old")).unwrap().mtime();
        directory(&base.join("old/new/inner")).unwrap();
        file(&base.join("old/file")).unwrap();
        assert!(base.join("old/new/inner").is_dir() && base.join("old/file").is_file());
        assert_eq!(fs::metadata(base.join("old")).unwrap().mtime(), before);
        fs::remove_dir_all(base).unwrap();
    }
}
