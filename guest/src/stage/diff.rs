//! What a step has changed, as an OCI layer (OCI image specification, "Image Layer Filesystem Changeset"), told from the upper
//! directory of its overlay and from what is below. What has come out as it was is left out, its time in whole seconds included,
//! because archives have no finer ones. Deletions are told one by one, under directories that were made anew as well: an opaque
//! marker would hide what is left out there.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, futimens, openat, readlinkat, statat, unlinkat};
use rustix::fs::{Timespec, Timestamps};
use rustix::io::Errno;

use crate::errand::{Fault, at};
use crate::files::changes::{equal, is_one_of, is_opaque, is_whiteout};
use crate::files::pack::{Packer, extended, join, names};

const WHITEOUT: &[u8] = b".wh.";
/// Two descriptors a level.
const MAX_DEPTH: usize = 2_000;
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = READ.union(OFlags::DIRECTORY);

type Done = Result<(), Fault>;

/// Writes the layer. What was made at `places` only to be mounted on is not part of it, and is removed from `upper`.
///
/// # Errors
/// The file that could not be read, or that no layer can hold.
pub fn write(upper: &OwnedFd, lower: &OwnedFd, places: &[Vec<u8>], max_mtime: Option<i64>, output: impl Write) -> Done {
    let mut diff = Diff {
        packer: Packer::until(output, max_mtime),
        places,
        waiting: Vec::new(),
    };
    diff.root(upper, lower)?;
    diff.directory(upper, Some(lower), false, b"", 0)?;
    diff.packer.finish()
}

/// A directory that is as it was, unless something in it is not.
struct Waiting {
    parent: OwnedFd,
    name: CString,
    path: Vec<u8>,
}

struct Diff<'a, W: Write> {
    packer: Packer<W>,
    places: &'a [Vec<u8>],
    /// Directories above the one that is looked at, not yet written.
    waiting: Vec<Waiting>,
}

impl<W: Write> Diff<'_, W> {
    /// Its time says nothing: it changes with everything that is made in it.
    fn root(&mut self, upper: &OwnedFd, lower: &OwnedFd) -> Done {
        let (now, was) = (fstat(upper).map_err(at(b"/"))?, fstat(lower).map_err(at(b"/"))?);
        if looks_alike(&now, &was) {
            return Ok(());
        }
        self.packer.directory(&now, b".", &[]).map_err(at(b"/"))
    }

    /// `hidden`: nothing of `lower` shows through.
    fn directory(&mut self, upper: &OwnedFd, lower: Option<&OwnedFd>, hidden: bool, path: &[u8], depth: usize) -> Done {
        if depth > MAX_DEPTH {
            return Err(at(path)(Errno::NAMETOOLONG));
        }
        let hidden = hidden || is_opaque(upper);
        let mut entries: Vec<_> = names(upper)
            .map_err(at(path))?
            .into_iter()
            .map(|name| (name, true))
            .collect();
        if let Some(lower) = lower.filter(|_| hidden) {
            let below = names(lower).map_err(at(path))?;
            // Both are sorted.
            let gone: Vec<_> = below
                .into_iter()
                .filter(|name| entries.binary_search_by(|(kept, _)| kept.cmp(name)).is_err())
                .collect();
            entries.extend(gone.into_iter().map(|name| (name, false)));
            entries.sort();
        }
        for (name, there) in entries {
            let path = join(path, name.to_bytes());
            if there {
                self.entry(upper, lower, hidden, &name, &path, depth)?;
            } else {
                self.whiteout(&path)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        upper: &OwnedFd,
        lower: Option<&OwnedFd>,
        hidden: bool,
        name: &CStr,
        path: &[u8],
        depth: usize,
    ) -> Done {
        let now = statat(upper, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
        let was = match lower.map(|lower| statat(lower, name, AtFlags::SYMLINK_NOFOLLOW)) {
            None | Some(Err(Errno::NOENT)) => None,
            Some(stat) => Some(stat.map_err(at(path))?),
        };
        if is_whiteout(&now) {
            return if was.is_some() { self.whiteout(path) } else { Ok(()) };
        }
        if name.to_bytes().starts_with(WHITEOUT) {
            return Err(Fault {
                path: path.to_vec(),
                words: "a layer cannot hold a name that begins with \".wh.\"".into(),
            });
        }
        if was.is_none() && is_one_of(self.places, &now, upper, name, path) {
            return clear(upper, name, &now).map_err(at(path));
        }
        if FileType::from_raw_mode(now.st_mode).is_dir() {
            return self.inner(upper, lower, hidden, name, (&now, was.as_ref()), path, depth);
        }
        // A second name can be given only to what is in the same archive.
        let unlinked = now.st_nlink == 1;
        if let (Some(lower), Some(was), true) = (lower, &was, unlinked)
            && self.is_same(upper, lower, name, &now, was).map_err(at(path))?
        {
            return Ok(());
        }
        self.flush()?;
        self.packer.member(upper, name, path).map(drop)
    }

    #[expect(clippy::too_many_arguments, reason = "two trees, and where in them")]
    fn inner(
        &mut self,
        upper: &OwnedFd,
        lower: Option<&OwnedFd>,
        hidden: bool,
        name: &CStr,
        (now, was): (&Stat, Option<&Stat>),
        path: &[u8],
        depth: usize,
    ) -> Done {
        let inner = openat(upper, name, DIRECTORY, Mode::empty()).map_err(at(path))?;
        let was = was.filter(|was| FileType::from_raw_mode(was.st_mode).is_dir());
        let below = match lower.filter(|_| was.is_some()) {
            Some(lower) => Some(openat(lower, name, DIRECTORY, Mode::empty()).map_err(at(path))?),
            None => None,
        };
        let same = match (&below, was) {
            (Some(below), Some(was)) => {
                looks_alike(now, was)
                    && self.same_time(now, was)
                    && extended(&inner).map_err(at(path))? == extended(below).map_err(at(path))?
            }
            _ => false,
        };
        if same {
            self.waiting.push(Waiting {
                parent: upper.try_clone().map_err(at(path))?,
                name: name.to_owned(),
                path: path.to_vec(),
            });
        } else {
            self.flush()?;
            self.packer.member(upper, name, path)?;
        }
        self.directory(&inner, below.as_ref(), hidden, path, depth + 1)?;
        if same {
            // Still there if nothing in it was written.
            self.waiting.pop();
        }
        Ok(())
    }

    fn whiteout(&mut self, path: &[u8]) -> Done {
        self.flush()?;
        let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let (directory, name) = path.split_at(start);
        let mark = [directory, WHITEOUT, name].concat();
        self.packer.whiteout(&mark).map_err(at(path))
    }

    /// Writes the directories above what is about to be written.
    fn flush(&mut self) -> Done {
        for Waiting { parent, name, path } in self.waiting.drain(..) {
            self.packer.member(&parent, &name, &path)?;
        }
        Ok(())
    }

    fn is_same(&self, upper: &OwnedFd, lower: &OwnedFd, name: &CStr, now: &Stat, was: &Stat) -> std::io::Result<bool> {
        if !looks_alike(now, was) || !self.same_time(now, was) {
            return Ok(false);
        }
        match FileType::from_raw_mode(now.st_mode) {
            FileType::RegularFile => {
                let open = |directory: &OwnedFd| openat(directory, name, READ, Mode::empty());
                let (now_open, was_open) = (open(upper)?, open(lower)?);
                Ok(now.st_size == was.st_size
                    && extended(&now_open)? == extended(&was_open)?
                    && equal(File::from(now_open), File::from(was_open))?)
            }
            FileType::Symlink => {
                let target = |directory: &OwnedFd| readlinkat(directory, name, Vec::new());
                Ok(target(upper)? == target(lower)?)
            }
            _ => Ok(true),
        }
    }

    fn same_time(&self, now: &Stat, was: &Stat) -> bool {
        self.packer.time(now.st_mtime) == self.packer.time(was.st_mtime)
    }
}

fn looks_alike(now: &Stat, was: &Stat) -> bool {
    now.st_mode == was.st_mode && now.st_uid == was.st_uid && now.st_gid == was.st_gid && now.st_rdev == was.st_rdev
}

/// Removes what was only mounted on, so that no later step sees it. The directory that had it keeps its time.
fn clear(parent: &OwnedFd, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
    let before = fstat(parent)?;
    if FileType::from_raw_mode(stat.st_mode).is_dir() {
        let inner = openat(parent, name, DIRECTORY, Mode::empty())?;
        for name in names(&inner)? {
            let stat = statat(&inner, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            clear(&inner, &name, &stat)?;
        }
        unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    } else {
        unlinkat(parent, name, AtFlags::empty())?;
    }
    let time = |tv_sec, nanoseconds: u64| Timespec {
        tv_sec,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: time(before.st_atime, before.st_atime_nsec),
        last_modification: time(before.st_mtime, before.st_mtime_nsec),
    };
    futimens(parent, &times)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Directories as a step leaves them: what was below, and what it made.
    struct Scene {
        base: PathBuf,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let base = std::env::temp_dir().join(format!("a3s-diff-{}-{name}", std::process::id()));
            fs::create_dir_all(base.join("lower")).unwrap();
            fs::create_dir_all(base.join("upper")).unwrap();
            Self { base }
        }

        /// In both, as a copy that nothing has become of.
        fn both(&self, path: &str) -> &Self {
            self.put("lower", path, "same").put("upper", path, "same")
        }

        fn put(&self, tree: &str, path: &str, content: &str) -> &Self {
            let path = self.base.join(tree).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self
        }

        fn settle(&self) {
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
            settle(&self.base, then);
        }

        fn told(&self, places: &[&str], latest: Option<i64>) -> Vec<String> {
            let open = |tree: &str| crate::files::open_directory(self.base.join(tree).to_str().unwrap()).unwrap();
            let places: Vec<_> = places.iter().map(|place| place.as_bytes().to_vec()).collect();
            let mut bytes = Vec::new();
            write(&open("upper"), &open("lower"), &places, latest, &mut bytes).unwrap();
            let mut archive = tar::Archive::new(bytes.as_slice());
            let entries = archive.entries().unwrap().map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                format!("{} {content}", entry.path().unwrap().display())
                    .trim_end()
                    .to_string()
            });
            entries.collect()
        }
    }

    fn settle(path: &Path, then: SystemTime) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                settle(&entry.unwrap().path(), then);
            }
        }
        fs::File::open(path).unwrap().set_modified(then).unwrap();
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.base).unwrap();
        }
    }

    #[test]
    fn what_is_as_it_was_is_left_out_and_directories_with_it() {
        let scene = Scene::new("same");
        scene
            .both("a/b/same")
            .both("c/same")
            .put("lower", "c/d/changed", "1")
            .put("upper", "c/d/changed", "2");
        scene.settle();
        assert_eq!(scene.told(&[], None), ["c/", "c/d/", "c/d/changed 2"]);
    }

    #[test]
    fn a_file_with_a_second_name_is_told_even_as_it_was() {
        let scene = Scene::new("linked");
        scene.both("f");
        fs::hard_link(scene.base.join("upper/f"), scene.base.join("upper/g")).unwrap();
        scene.settle();
        assert_eq!(scene.told(&[], None), ["f same", "g"]);
    }

    #[test]
    fn times_count_in_whole_seconds_and_up_to_the_limit() {
        let scene = Scene::new("times");
        scene.both("f").both("g");
        scene.settle();
        let later = |name: &str, time| {
            let file = fs::File::open(scene.base.join("upper").join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + time).unwrap();
        };
        later("f", Duration::from_millis(1_000_000_900));
        later("g", Duration::from_secs(1_000_001));
        assert_eq!(scene.told(&[], None), ["g same"]);
        assert_eq!(scene.told(&[], Some(999_999)), Vec::<String>::new());
    }

    #[test]
    fn what_was_mounted_on_is_told_only_with_something_in_it_and_removed_otherwise() {
        let scene = Scene::new("places");
        scene
            .put("upper", "srv/file", "")
            .put("upper", "opt/x/mine", "1")
            .put("upper", "run/kept", "full");
        fs::create_dir_all(scene.base.join("upper/a/b/c")).unwrap();
        scene.settle();
        if !rustix::process::getuid().is_root() {
            return;
        }
        let places = [
            "a", "a/b", "a/b/c", "srv", "srv/file", "opt", "opt/x", "run", "run/kept",
        ];
        assert_eq!(
            scene.told(&places, None),
            ["opt/", "opt/x/", "opt/x/mine 1", "run/", "run/kept full"]
        );
        assert!(!scene.base.join("upper/a").exists() && !scene.base.join("upper/srv").exists());
    }

    #[test]
    fn a_name_that_means_something_in_a_layer_is_refused() {
        let scene = Scene::new("names");
        scene.put("upper", "d/.wh.x", "");
        let open = |tree: &str| crate::files::open_directory(scene.base.join(tree).to_str().unwrap()).unwrap();
        let fault = write(&open("upper"), &open("lower"), &[], None, Vec::new()).unwrap_err();
        assert_eq!(fault.path, b"d/.wh.x");
    }
}
