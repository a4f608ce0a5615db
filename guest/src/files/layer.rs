//! The box's changes as an OCI image layer: whiteouts are files `.wh.NAME`, opaque directories hold `.wh..wh..opq`
//! (OCI image specification, "Image Layer Filesystem Changeset").

use std::io::Write;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, statat};

use super::changes::{LOWER, UPPER, is_opaque, is_place, is_whiteout};
use super::pack::{Packer, join, names};
use super::{Fault, at};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// # Errors
/// The file that could not be read.
pub fn write(output: impl Write) -> Result<(), Fault> {
    let open = |path| {
        super::open_directory(path).map_err(|f| Fault {
            path: Vec::new(),
            words: f.message,
        })
    };
    let mut packer = Packer::new(output);
    directory(&mut packer, &open(UPPER)?, Some(&open(LOWER)?), b"")?;
    packer.finish()
}

fn directory(
    packer: &mut Packer<impl Write>,
    upper: &OwnedFd,
    lower: Option<&OwnedFd>,
    path: &[u8],
) -> Result<(), Fault> {
    if is_opaque(upper) {
        let stat = fstat(upper).map_err(at(path))?;
        packer.marker(&stat, &join(path, OPAQUE)).map_err(at(path))?;
    }
    for name in names(upper).map_err(at(path))? {
        let path_here = join(path, name.to_bytes());
        let stat = statat(upper, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(&path_here))?;
        if is_whiteout(&stat) {
            let mark = [PREFIX, name.to_bytes()].concat();
            packer.marker(&stat, &join(path, &mark)).map_err(at(path))?;
            continue;
        }
        let is_new = lower.is_none_or(|lower| statat(lower, &name, AtFlags::SYMLINK_NOFOLLOW).is_err());
        if is_new && is_place(&stat, upper, &name, &path_here) {
            continue;
        }
        if let Some(inner) = packer.member(upper, &name, &path_here)? {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let below = lower.and_then(|lower| openat(lower, &name, flags, Mode::empty()).ok());
            directory(packer, &inner, below.as_ref(), &path_here)?;
        }
    }
    Ok(())
}
