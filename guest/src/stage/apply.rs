//! An OCI layer onto a root (OCI image specification, "Applying Changesets"; where that says nothing, containerd's archive.Apply).
//! The root is an overlay's, so that its upper directory then is the layer as overlayfs keeps it. Names lead nowhere but below the
//! root: links in the way are followed inside it.

use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, XattrFlags, chmodat, chownat, fremovexattr, fsetxattr,
    futimens, linkat, mkdirat, mknodat, openat, openat2, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use tar::EntryType;

use crate::errand::{Fault, at, told};
use crate::failure::{Code, Failure};
use crate::files::archive::{Archive, Entry};
use crate::files::content::{self, PIECE, Pages};
use crate::files::member::{Attributes, attributes, cleaned, create, device_of, link_of, own, times};
use crate::files::pack::{extended, names, os};

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// aufs' own files, which some old images carry.
const AUFS: &[u8] = b".wh..wh.";
const MAX_DEPTH: usize = 2_000;
const CONFINED: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

type Done = Result<(), Fault>;

/// What names that begin with `.wh.` are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Deletions.
    Count,
    /// Names like others, in a tree that is no layer.
    AreNames,
}

/// Applies the layer.
///
/// # Errors
/// `io` naming the entry.
pub fn apply(root: &OwnedFd, marks: Marks, archive: impl Read) -> Result<(), Failure> {
    let mut apply = Apply {
        root,
        marks,
        parent: None,
        brought: HashSet::new(),
        hasher: RandomState::new(),
        directories: Vec::new(),
        buffer: Pages::new(PIECE),
    };
    let mut archive = Archive::new(archive);
    let unsound = |e: io::Error| Failure::new(Code::Io, "stage", format!("the layer is no sound tar: {e}"));
    while let Some(mut entry) = archive.next().map_err(unsound)? {
        apply.entry(&mut entry).map_err(told)?;
    }
    // The host must not find that nobody reads the rest of what it sends.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|e| told(Fault::from(e)))?;
    apply.finish().map_err(told)
}

struct Apply<'a> {
    root: &'a OwnedFd,
    marks: Marks,
    /// The directory of the last entry: archives go through a tree in order.
    parent: Option<(PathBuf, OwnedFd)>,
    /// Hashes of the paths that this layer has brought: its deletions are about what is below it.
    brought: HashSet<u64>,
    hasher: RandomState,
    /// Their times change with what is put into them.
    directories: Vec<(PathBuf, i64)>,
    buffer: Pages,
}

impl Apply<'_> {
    fn entry(&mut self, entry: &mut Entry<'_, impl Read>) -> Done {
        let raw = entry.path.clone();
        let kind = entry.header.entry_type();
        let path = cleaned(&raw).ok_or_else(|| at(&raw)(Errno::PERM))?;
        let (Some(name), Some(above)) = (path.file_name().map(OsStr::to_owned), path.parent()) else {
            return self.root_entry(entry, kind, &raw);
        };
        if self.marks == Marks::Count && name.as_bytes().starts_with(WHITEOUT) {
            return self.whiteout(above, name.as_bytes(), &raw);
        }
        let parent = self.parent(above, &raw)?;
        self.put(entry, kind, &parent, &name, &path, &raw)?;
        self.note(&path);
        self.parent = Some((above.into(), parent));
        Ok(())
    }

    /// A root that is no directory is left aside.
    fn root_entry(&mut self, entry: &mut Entry<'_, impl Read>, kind: EntryType, raw: &[u8]) -> Done {
        if kind != EntryType::Directory {
            return Ok(());
        }
        let found = attributes(entry).map_err(at(raw))?;
        dress(self.root, &found, true).map_err(at(raw))?;
        self.directories.push((PathBuf::new(), found.mtime));
        Ok(())
    }

    fn put(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
        kind: EntryType,
        parent: &OwnedFd,
        name: &OsStr,
        path: &Path,
        raw: &[u8],
    ) -> Done {
        let found = attributes(entry).map_err(at(raw))?;
        let is_directory = kind == EntryType::Directory;
        if kind == EntryType::Link {
            return self.link(entry, &found, parent, name, path, raw);
        }
        if matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) {
            let file = make(parent, name, &found).map_err(at(raw))?;
            return self.content(entry, &file, &found, raw);
        }
        let stays = make_way(parent, name, is_directory).map_err(at(raw))?;
        match kind {
            EntryType::Directory => {
                if !stays {
                    mkdirat(parent, name, Mode::RWXU).map_err(at(raw))?;
                }
                let made = openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).map_err(at(raw))?;
                dress(&made, &found, stays).map_err(at(raw))?;
                self.directories.push((path.into(), found.mtime));
                return Ok(());
            }
            EntryType::Symlink => {
                let link = link_of(entry).map_err(at(raw))?;
                symlinkat(os(&link), parent, name).map_err(at(raw))?;
            }
            EntryType::Fifo | EntryType::Char | EntryType::Block => {
                let (kind, device) = device_of(entry, kind).map_err(at(raw))?;
                mknodat(parent, name, kind, Mode::RUSR | Mode::WUSR, device).map_err(at(raw))?;
            }
            other => {
                return Err(Fault {
                    path: raw.to_vec(),
                    words: format!("is of unknown type {:?}", char::from(other.as_byte())),
                });
            }
        }
        settle(parent, name, kind == EntryType::Symlink, &found).map_err(at(raw))
    }

    /// A second name; the header speaks of the file, too.
    fn link(
        &mut self,
        entry: &Entry<'_, impl Read>,
        found: &Attributes,
        parent: &OwnedFd,
        name: &OsStr,
        path: &Path,
        raw: &[u8],
    ) -> Done {
        let link = link_of(entry).map_err(at(raw))?;
        let first = cleaned(&link)
            .filter(|first| first != path)
            .ok_or_else(|| at(raw)(Errno::PERM))?;
        let Some(first_name) = first.file_name() else {
            return Err(at(raw)(Errno::PERM));
        };
        let directory = self.open(first.parent().unwrap_or(Path::new(""))).map_err(at(raw))?;
        make_way(parent, name, false).map_err(at(raw))?;
        linkat(&directory, first_name, parent, name, AtFlags::empty()).map_err(at(raw))?;
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(raw))?;
        // Mostly it says what is so already. A change of owner takes capabilities and set-uid bits away.
        if (stat.st_uid, stat.st_gid) == (found.uid, found.gid) && stat.st_mode & 0o7777 == found.mode {
            return utimensat(parent, name, &times(found.mtime), AtFlags::SYMLINK_NOFOLLOW).map_err(at(raw));
        }
        settle(parent, name, FileType::from_raw_mode(stat.st_mode).is_symlink(), found).map_err(at(raw))
    }

    fn content(&mut self, entry: &mut Entry<'_, impl Read>, file: &File, found: &Attributes, raw: &[u8]) -> Done {
        let size = entry.size;
        content::write(entry, file, size, &mut self.buffer).map_err(at(raw))?;
        // A change of owner takes capabilities away: attributes come after it.
        own(file, found, false).map_err(at(raw))?;
        for (name, value) in &found.xattrs {
            fsetxattr(file, OsStr::from_bytes(name), value, XattrFlags::empty()).map_err(at(raw))?;
        }
        futimens(file, &times(found.mtime)).map_err(at(raw))
    }

    /// The directory of an entry, made with root as its owner where neither this layer nor one below has it.
    fn parent(&mut self, path: &Path, raw: &[u8]) -> Result<OwnedFd, Fault> {
        if let Some((known, open)) = self.parent.take()
            && known == path
        {
            return Ok(open);
        }
        match self.open(path) {
            Err(Errno::NOENT) => {}
            other => {
                for known in path.ancestors() {
                    self.note(known);
                }
                return other.map_err(at(raw));
            }
        }
        let above = self.parent(path.parent().unwrap_or(Path::new("")), raw)?;
        if let Some(name) = path.file_name() {
            mkdirat(&above, name, Mode::from_raw_mode(0o755)).map_err(at(raw))?;
        }
        self.note(path);
        self.open(path).map_err(at(raw))
    }

    fn open(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        openat2(self.root, path, DIRECTORY, Mode::empty(), CONFINED)
    }

    fn whiteout(&mut self, above: &Path, name: &[u8], raw: &[u8]) -> Done {
        let hidden = &name[WHITEOUT.len()..];
        if name != OPAQUE && matches!(hidden, b"" | b"." | b"..") {
            return Err(Fault {
                path: raw.to_vec(),
                words: "is a whiteout of no name".into(),
            });
        }
        let directory = match self.open(above) {
            // Nothing below, nothing to hide.
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            other => other.map_err(at(raw))?,
        };
        self.parent = None;
        if name == OPAQUE {
            return self.hide(&directory, above, 0).map_err(at(raw));
        }
        if name.starts_with(AUFS) {
            return Ok(());
        }
        let hidden = CString::new(hidden).map_err(|_| at(raw)(Errno::INVAL))?;
        self.hide_name(&directory, &hidden, above, 0).map_err(at(raw))
    }

    /// Removes what is in a directory but for what this layer has brought.
    fn hide(&self, directory: &OwnedFd, path: &Path, depth: usize) -> rustix::io::Result<()> {
        for name in names(directory)? {
            self.hide_name(directory, &name, path, depth)?;
        }
        Ok(())
    }

    fn hide_name(&self, directory: &OwnedFd, name: &CStr, above: &Path, depth: usize) -> rustix::io::Result<()> {
        let path = above.join(OsStr::from_bytes(name.to_bytes()));
        if !self.brought.contains(&self.hash(&path)) {
            return remove(directory, name, depth);
        }
        match openat(directory, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(inner) if depth < MAX_DEPTH => self.hide(&inner, &path, depth + 1),
            Ok(_) => Err(Errno::NAMETOOLONG),
            Err(_) => Ok(()),
        }
    }

    fn note(&mut self, path: &Path) {
        let hash = self.hash(path);
        self.brought.insert(hash);
    }

    fn hash(&self, path: &Path) -> u64 {
        self.hasher.hash_one(path.as_os_str())
    }

    fn finish(self) -> Done {
        for (path, mtime) in self.directories.iter().rev() {
            let raw = path.as_os_str().as_bytes();
            let directory = match self.open(path) {
                // A later entry has replaced it.
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                other => other.map_err(at(raw))?,
            };
            futimens(&directory, &times(*mtime)).map_err(at(raw))?;
        }
        Ok(())
    }
}

/// Takes away what stands in the way; true for a directory that stays one.
fn make_way(parent: &OwnedFd, name: &OsStr, for_directory: bool) -> rustix::io::Result<bool> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        other => other?,
    };
    if FileType::from_raw_mode(stat.st_mode).is_dir() && for_directory {
        return Ok(true);
    }
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)?;
    remove(parent, &name, 0)?;
    Ok(false)
}

/// Removes a file, or a directory and all in it; one that is not there is gone.
fn remove(parent: &OwnedFd, name: &CStr, depth: usize) -> rustix::io::Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        Err(Errno::NOENT) | Ok(()) => return Ok(()),
        other => return other,
    }
    if depth > MAX_DEPTH {
        return Err(Errno::NAMETOOLONG);
    }
    let inner = openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
    for name in names(&inner)? {
        remove(&inner, &name, depth + 1)?;
    }
    drop(inner);
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// A directory's owner, mode and attributes; `had`: it may have attributes that are not to stay.
fn dress(directory: &OwnedFd, found: &Attributes, had: bool) -> rustix::io::Result<()> {
    own(directory, found, false)?;
    if had {
        for (name, _) in extended(directory)? {
            if !found.xattrs.iter().any(|(kept, _)| *kept == name) {
                fremovexattr(directory, OsStr::from_bytes(&name))?;
            }
        }
    }
    for (name, value) in &found.xattrs {
        fsetxattr(directory, OsStr::from_bytes(name), value, XattrFlags::empty())?;
    }
    Ok(())
}

/// A new file; what is there already gives way.
fn make(parent: &OwnedFd, name: &OsStr, found: &Attributes) -> rustix::io::Result<File> {
    if let Some(file) = create(parent, name, found.mode)? {
        return Ok(file);
    }
    make_way(parent, name, false)?;
    create(parent, name, found.mode)?.ok_or(Errno::EXIST)
}

/// What is not open: links, devices, pipes, second names.
fn settle(parent: &OwnedFd, name: &OsStr, is_symlink: bool, found: &Attributes) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(found.uid), Gid::from_raw(found.gid));
    chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    if !is_symlink {
        chmodat(parent, name, Mode::from_raw_mode(found.mode), AtFlags::empty())?;
    }
    utimensat(parent, name, &times(found.mtime), AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use tar::Header;

    use super::*;

    /// A root to apply to and one beside it that must stay as it is.
    struct Scene {
        base: PathBuf,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let base = std::env::temp_dir().join(format!("a3s-apply-{}-{name}", std::process::id()));
            fs::create_dir_all(base.join("root")).unwrap();
            fs::create_dir_all(base.join("outside")).unwrap();
            Self { base }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.base.join("root").join(name)
        }

        fn apply(&self, members: &[Vec<u8>]) -> Result<(), Failure> {
            self.apply_as(Marks::Count, members)
        }

        fn apply_as(&self, marks: Marks, members: &[Vec<u8>]) -> Result<(), Failure> {
            let path = self.base.join("archive");
            fs::write(&path, [members.concat(), vec![0; 1024]].concat()).unwrap();
            let root = openat(rustix::fs::CWD, self.base.join("root"), DIRECTORY, Mode::empty()).unwrap();
            apply(&root, marks, File::open(path).unwrap())
        }

        fn listed(&self, name: &str) -> Vec<String> {
            let entries = fs::read_dir(self.path(name)).unwrap();
            let mut names: Vec<_> = entries
                .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.base).unwrap();
        }
    }

    fn member(kind: EntryType, path: &str, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o750 } else { 0o640 });
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

    fn file(path: &str) -> Vec<u8> {
        member(EntryType::Regular, path, "", b"new")
    }

    fn directory(path: &str) -> Vec<u8> {
        member(EntryType::Directory, path, "", b"")
    }

    #[test]
    fn nothing_leads_out_of_the_root() {
        let scene = Scene::new("out");
        symlink("../outside", scene.path("planted")).unwrap();
        for members in [
            vec![file("../outside/f")],
            vec![file("a/../../outside/f")],
            vec![file("planted/f")],
            vec![member(EntryType::Symlink, "x", "../../outside", b""), file("x/f")],
            vec![member(EntryType::Link, "z", "../archive", b"")],
            vec![file("planted/.wh.f")],
        ] {
            let _ = scene.apply(&members);
        }
        assert_eq!(fs::read_dir(scene.base.join("outside")).unwrap().count(), 0);
    }

    #[test]
    fn whatever_is_in_the_way_gives_way() {
        let scene = Scene::new("way");
        fs::create_dir_all(scene.path("d/deep")).unwrap();
        fs::write(scene.path("f"), "old").unwrap();
        symlink("nowhere", scene.path("l")).unwrap();
        scene
            .apply(&[file("d"), directory("f/"), directory("l/"), file("l/x")])
            .unwrap();
        assert_eq!(fs::read(scene.path("d")).unwrap(), b"new");
        assert!(scene.path("f").is_dir());
        assert_eq!(scene.listed("l"), ["x"]);
        let meta = fs::metadata(scene.path("l")).unwrap();
        assert_eq!((meta.permissions().mode() & 0o7777, meta.mtime()), (0o750, 1_000_000));
    }

    #[test]
    fn deletions_are_about_what_was_there_before() {
        let scene = Scene::new("whiteouts");
        for path in ["d/a", "d/b", "d/sub/c", "gone/x"] {
            fs::create_dir_all(scene.path(path).parent().unwrap()).unwrap();
            fs::write(scene.path(path), "old").unwrap();
        }
        let members = [
            file("d/!first"),
            file("d/sub/new"),
            file("d/.wh..wh..opq"),
            file("d/last"),
            file(".wh.gone"),
            file("kept"),
            file(".wh.kept"),
            file("nowhere/.wh.x"),
        ];
        scene.apply(&members).unwrap();
        assert_eq!(scene.listed("d"), ["!first", "last", "sub"]);
        assert_eq!(scene.listed("d/sub"), ["new"]);
        assert_eq!(scene.listed(""), ["d", "kept"]);
    }

    #[test]
    fn whiteouts_of_no_name_and_unknown_types_are_refused() {
        let scene = Scene::new("odd");
        for bad in [
            file(".wh."),
            file("d/.wh..."),
            member(EntryType::new(b'Z'), "z", "", b""),
        ] {
            assert!(scene.apply(&[bad]).is_err());
        }
    }

    #[test]
    fn names_are_names_where_nothing_is_deleted() {
        let scene = Scene::new("names");
        fs::write(scene.path("x"), "old").unwrap();
        let members = [file(".wh.x"), directory("d"), file("d/.wh..wh..opq"), file(".wh.")];
        scene.apply_as(Marks::AreNames, &members).unwrap();
        assert_eq!(scene.listed(""), [".wh.", ".wh.x", "d", "x"]);
        assert_eq!(scene.listed("d"), [".wh..wh..opq"]);
    }

    #[test]
    fn zeros_become_holes_wherever_they_are() {
        let scene = Scene::new("sparse");
        let mut content = vec![0; 5 << 20];
        content[10_000] = 1;
        content[3 << 20] = 2;
        let big = member(EntryType::Regular, "big", "", &content);
        scene.apply(&[big]).unwrap();
        assert!(fs::read(scene.path("big")).unwrap() == content);
        assert!(fs::metadata(scene.path("big")).unwrap().blocks() < 100);
    }

    #[test]
    fn a_second_name_is_of_the_same_file_and_may_replace_one() {
        let scene = Scene::new("link");
        fs::write(scene.path("second"), "old").unwrap();
        scene
            .apply(&[file("first"), member(EntryType::Link, "second", "first", b"")])
            .unwrap();
        let [one, other] = ["first", "second"].map(|name| fs::metadata(scene.path(name)).unwrap().ino());
        assert_eq!(one, other);
        assert!(scene.apply(&[member(EntryType::Link, "first", "first", b"")]).is_err());
    }
}
