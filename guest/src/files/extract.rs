//! A tar archive into a directory of the box. Names lead only below that directory, whatever links the box puts there
//! meanwhile: every parent is opened by `openat2`, and what is last in a path is never followed. What stands in the way
//! is replaced, but never a directory by something else or the other way round, as Docker has it.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, XattrFlags, chmodat, chownat, fsetxattr, futimens, linkat,
    mkdirat, mknodat, openat, openat2, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use tar::EntryType;

use super::archive::{Archive, Entry};
use super::content::{self, PIECE, Pages};
use super::member::{Attributes, SET_ID, attributes, cleaned, create, device_of, link_of, own, times};
use super::{Fault, at};
use crate::errand::told;
use crate::failure::{Code, Failure};

/// Directories whose times are put right in the end.
const MAX_DIRECTORIES: usize = 1 << 20;
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

type Done = Result<(), Fault>;

/// Extracts the archive; `is_root` says that `target` is the box's root, where absolute links lead back to.
///
/// # Errors
/// `io` naming the entry.
pub fn extract(target: &OwnedFd, is_root: bool, archive: impl Read) -> Result<(), Failure> {
    let confined = if is_root {
        ResolveFlags::IN_ROOT
    } else {
        ResolveFlags::BENEATH
    };
    let mut extractor = Extractor {
        target,
        confined: confined | ResolveFlags::NO_MAGICLINKS,
        parent: None,
        directories: Vec::new(),
        buffer: Pages::new(PIECE),
    };
    let mut archive = Archive::new(archive);
    let unsound = |e: io::Error| Failure::new(Code::Io, "files", format!("the archive is no sound tar: {e}"));
    while let Some(mut entry) = archive.next().map_err(unsound)? {
        extractor.entry(&mut entry).map_err(told)?;
    }
    // The host must not find that nobody reads the rest of what it sends.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|e| told(Fault::from(e)))?;
    extractor.finish().map_err(told)
}

struct Extractor<'a> {
    target: &'a OwnedFd,
    confined: ResolveFlags,
    /// The directory of the last entry: archives go through a tree in order.
    parent: Option<(PathBuf, OwnedFd)>,
    /// Their times change with what is put into them.
    directories: Vec<(PathBuf, i64)>,
    buffer: Pages,
}

impl Extractor<'_> {
    fn entry(&mut self, entry: &mut Entry<'_, impl Read>) -> Done {
        let raw = entry.path.clone();
        let kind = entry.header.entry_type();
        let path = cleaned(&raw).ok_or_else(|| at(&raw)(Errno::PERM))?;
        let (Some(name), parent) = (path.file_name().map(std::ffi::OsStr::to_owned), path.parent()) else {
            // The directory itself is as it is.
            return Ok(());
        };
        let attributes = attributes(entry).map_err(at(&raw))?;
        let parent = self.parent(parent.unwrap_or(Path::new("")), &raw)?;
        if is_file(kind) {
            self.file(entry, &attributes, &parent, &name, &raw)?;
            self.parent = Some((path.parent().unwrap_or(Path::new("")).into(), parent));
            return Ok(());
        }
        let exists = clear_way(&parent, &name, &raw, kind == EntryType::Directory)?;
        match kind {
            EntryType::Directory => {
                if !exists {
                    mkdirat(&parent, &name, Mode::RWXU).map_err(at(&raw))?;
                }
                if self.directories.len() < MAX_DIRECTORIES {
                    self.directories.push((path.clone(), attributes.mtime));
                }
            }
            EntryType::Symlink => {
                let link = link_of(entry).map_err(at(&raw))?;
                symlinkat(super::pack::os(&link), &parent, &name).map_err(at(&raw))?;
            }
            EntryType::Link => {
                let link = link_of(entry).map_err(at(&raw))?;
                let first = cleaned(&link).ok_or_else(|| at(&raw)(Errno::PERM))?;
                let Some(first_name) = first.file_name() else {
                    return Err(at(&raw)(Errno::PERM));
                };
                let directory = self.open(first.parent().unwrap_or(Path::new(""))).map_err(at(&raw))?;
                linkat(&directory, first_name, &parent, &name, AtFlags::empty()).map_err(at(&raw))?;
                self.parent = Some((path.parent().unwrap_or(Path::new("")).into(), parent));
                return Ok(());
            }
            _ => {
                let (kind, device) = device_of(entry, kind).map_err(at(&raw))?;
                mknodat(&parent, &name, kind, Mode::RUSR | Mode::WUSR, device).map_err(at(&raw))?;
            }
        }
        settle(&parent, &name, kind, &attributes).map_err(at(&raw))?;
        if kind == EntryType::Directory && !attributes.xattrs.is_empty() {
            let flags = DIRECTORY | OFlags::NOFOLLOW;
            let made = openat(&parent, &name, flags, Mode::empty()).map_err(at(&raw))?;
            extend(&made, &attributes.xattrs).map_err(at(&raw))?;
        }
        self.parent = Some((path.parent().unwrap_or(Path::new("")).into(), parent));
        Ok(())
    }

    /// The directory of an entry, made with root as its owner where the archive says nothing of it.
    fn parent(&mut self, path: &Path, raw: &[u8]) -> Result<OwnedFd, Fault> {
        if let Some((known, open)) = self.parent.take()
            && known == path
        {
            return Ok(open);
        }
        match self.open(path) {
            Err(Errno::NOENT) => {}
            other => return other.map_err(at(raw)),
        }
        let above = self.parent(path.parent().unwrap_or(Path::new("")), raw)?;
        if let Some(name) = path.file_name() {
            mkdirat(&above, name, Mode::from_raw_mode(0o755)).map_err(at(raw))?;
        }
        self.open(path).map_err(at(raw))
    }

    fn open(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        openat2(self.target, path, DIRECTORY, Mode::empty(), self.confined)
    }

    /// A regular file, and whatever else has content.
    fn file(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
        attributes: &Attributes,
        parent: &OwnedFd,
        name: &std::ffi::OsStr,
        raw: &[u8],
    ) -> Done {
        let new = || create(parent, name, attributes.mode).map_err(at(raw));
        let file = if let Some(file) = new()? {
            file
        } else {
            clear_way(parent, name, raw, false)?;
            new()?.ok_or_else(|| at(raw)(Errno::EXIST))?
        };
        let size = entry.size;
        content::write(entry, &file, size, &mut self.buffer).map_err(at(raw))?;
        own(&file, attributes, true).map_err(at(raw))?;
        // A change of owner takes capabilities away: attributes come after it.
        extend(&file, &attributes.xattrs).map_err(at(raw))?;
        futimens(&file, &times(attributes.mtime)).map_err(at(raw))
    }

    fn finish(self) -> Done {
        for (path, mtime) in self.directories.iter().rev() {
            let raw = path.as_os_str().as_bytes();
            let directory = match self.open(path) {
                // A later entry, or the box, has replaced it.
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                other => other.map_err(at(raw))?,
            };
            rustix::fs::futimens(&directory, &times(*mtime)).map_err(at(raw))?;
        }
        Ok(())
    }
}

/// Kinds that are no files of their own kind are regular ones, as POSIX has it.
fn is_file(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Directory
            | EntryType::Symlink
            | EntryType::Link
            | EntryType::Fifo
            | EntryType::Char
            | EntryType::Block
    )
}

/// True when there is a directory that stays.
fn clear_way(parent: &OwnedFd, name: &std::ffi::OsStr, raw: &[u8], directory: bool) -> Result<bool, Fault> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        other => other.map_err(at(raw))?,
    };
    let is_directory = FileType::from_raw_mode(stat.st_mode).is_dir();
    let shown = name.to_string_lossy();
    let clash = |what: String| {
        Err(Fault {
            path: Vec::new(),
            words: what,
        })
    };
    match (is_directory, directory) {
        (true, true) => Ok(true),
        (true, false) => clash(format!(
            "cannot overwrite directory {shown:?} with non-directory {shown:?}"
        )),
        (false, true) => clash(format!(
            "cannot overwrite non-directory {shown:?} with directory {shown:?}"
        )),
        (false, false) => {
            unlinkat(parent, name, AtFlags::empty()).map_err(at(raw))?;
            Ok(false)
        }
    }
}

/// Owner before mode: a change of owner takes set-uid bits away.
fn settle(
    parent: &OwnedFd,
    name: &std::ffi::OsStr,
    kind: EntryType,
    attributes: &Attributes,
) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
    let mode = match chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        // A directory of a host's user who is not root: what a box makes there is that user's, whoever makes it. It must
        // not give that user's rights to others.
        Err(rustix::io::Errno::PERM) => attributes.mode & !SET_ID,
        done => done.map(|()| attributes.mode)?,
    };
    if kind != EntryType::Symlink {
        // Nothing but a link would be followed, and this one was just made; a name that the box has changed
        // meanwhile leads no further than the box.
        chmodat(parent, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
    }
    utimensat(parent, name, &times(attributes.mtime), AtFlags::SYMLINK_NOFOLLOW)
}

/// Gives a file or directory its extended attributes, as far as its file system takes them.
fn extend(file: impl AsFd, xattrs: &[(Vec<u8>, Vec<u8>)]) -> rustix::io::Result<()> {
    for (name, value) in xattrs {
        match fsetxattr(&file, std::ffi::OsStr::from_bytes(name), value, XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM) => {}
            other => return other,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::super::{pack, place::Place};
    use super::*;

    /// A directory to extract into and one beside it that must stay as it is.
    struct Scene {
        base: PathBuf,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let base = std::env::temp_dir().join(format!("a3s-extract-{}-{name}", std::process::id()));
            fs::create_dir_all(base.join("inside")).unwrap();
            fs::create_dir_all(base.join("outside")).unwrap();
            Self { base }
        }

        fn open(&self, path: &str) -> OwnedFd {
            openat(rustix::fs::CWD, self.base.join(path), DIRECTORY, Mode::empty()).unwrap()
        }

        fn extract(&self, archive: &[u8]) -> Result<(), Failure> {
            let path = self.base.join("archive");
            fs::write(&path, archive).unwrap();
            extract(&self.open("inside"), false, File::open(path).unwrap())
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.base).unwrap();
        }
    }

    /// Not every file system takes them, nor does every user give them: then neither the original nor the copy has any.
    fn give(path: &Path, name: &str, value: &[u8]) {
        let _ = rustix::fs::setxattr(path, name, value, XattrFlags::empty());
    }

    fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; 256];
        let size = rustix::fs::getxattr(path, name, &mut value[..]).ok()?;
        value.truncate(size);
        Some(value)
    }

    fn member(kind: EntryType, path: &str, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(u64::from(rustix::process::getuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getgid().as_raw()));
        header.set_mtime(1_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn archive(members: &[Vec<u8>]) -> Vec<u8> {
        [members.concat(), vec![0; 1024]].concat()
    }

    #[test]
    fn no_name_and_no_link_leads_out() {
        let scene = Scene::new("out");
        symlink("../outside", scene.base.join("inside/planted")).unwrap();
        let file = |path| member(EntryType::Regular, path, "", b"1");
        for members in [
            vec![file("../outside/f")],
            vec![file("a/../../outside/f")],
            vec![file("planted/f")],
            vec![member(EntryType::Symlink, "x", "../outside", b""), file("x/f")],
            vec![member(EntryType::Symlink, "y", "/tmp", b""), file("y/f")],
            vec![member(EntryType::Link, "z", "../archive", b"")],
        ] {
            assert!(scene.extract(&archive(&members)).is_err());
        }
        assert_eq!(fs::read_dir(scene.base.join("outside")).unwrap().count(), 0);
    }

    #[test]
    fn kinds_do_not_replace_each_other_but_files_do() {
        let scene = Scene::new("clash");
        fs::create_dir(scene.base.join("inside/d")).unwrap();
        fs::write(scene.base.join("inside/f"), "old").unwrap();
        let failure = scene.extract(&archive(&[member(EntryType::Regular, "d", "", b"")]));
        assert_eq!(
            failure.unwrap_err().message,
            "cannot overwrite directory \"d\" with non-directory \"d\""
        );
        assert!(
            scene
                .extract(&archive(&[member(EntryType::Directory, "f/", "", b"")]))
                .is_err()
        );
        scene
            .extract(&archive(&[member(EntryType::Regular, "f", "", b"new")]))
            .unwrap();
        assert_eq!(fs::read(scene.base.join("inside/f")).unwrap(), b"new");
    }

    #[test]
    fn what_is_packed_comes_out_the_same() {
        let scene = Scene::new("same");
        let tree = scene.base.join("tree");
        let long = "n".repeat(200);
        fs::create_dir_all(tree.join(&long)).unwrap();
        fs::write(tree.join("f\n"), "text").unwrap();
        fs::set_permissions(tree.join("f\n"), fs::Permissions::from_mode(0o4750)).unwrap();
        fs::hard_link(tree.join("f\n"), tree.join(&long).join("again")).unwrap();
        symlink("nowhere", tree.join("link")).unwrap();
        fs::write(tree.join("able"), "").unwrap();
        // cap_net_raw, permitted and effective (linux/capability.h, VFS_CAP_REVISION_2).
        let mut capability = [0; 20];
        capability[..6].copy_from_slice(&[1, 0, 0, 2, 0, 1 << 5]);
        give(&tree.join("able"), "security.capability", &capability);
        give(&tree.join(&long), "user.note", b"kept");
        File::create(tree.join("sparse")).unwrap().set_len(10 << 20).unwrap();
        let place = Place {
            parent: scene.open("."),
            name: "tree".into(),
            title: b"copy".to_vec(),
        };
        let mut bytes = Vec::new();
        assert!(pack::pack_place(&place, &mut bytes).is_ok());
        scene.extract(&bytes).unwrap();
        let copy = scene.base.join("inside/copy");
        let [one, other] = [&tree, &copy].map(|top| fs::metadata(top.join("f\n")).unwrap());
        assert_eq!((one.mode(), one.mtime()), (other.mode(), other.mtime()));
        assert_eq!(fs::metadata(copy.join(&long).join("again")).unwrap().ino(), other.ino());
        assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("nowhere"));
        assert_eq!(
            attribute(&copy.join("able"), "security.capability"),
            attribute(&tree.join("able"), "security.capability")
        );
        assert_eq!(
            attribute(&copy.join(&long), "user.note"),
            attribute(&tree.join(&long), "user.note")
        );
        let sparse = fs::metadata(copy.join("sparse")).unwrap();
        assert_eq!((sparse.size(), sparse.blocks() < 100), (10 << 20, true));
        let [one, other] = [&tree, &copy].map(|top| fs::metadata(top).unwrap().mtime());
        assert_eq!(one, other);
    }
}
