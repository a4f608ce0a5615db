//! A stage's layers: numbered directories on the scratch disk in the form that overlayfs keeps (Linux, filesystems/overlayfs).

use std::ffi::CString;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Stat, Timespec, Timestamps, Uid, chmod, chown, mkdir, stat, utimensat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::chdir;

use crate::failure::{Failure, Stage};
use crate::launch::make_directories;

const DIRECTORY: &str = "/box/scratch/l";
const WORK: &str = "/box/scratch/w";
/// The squashfs.
const BASE: &str = "/box/lower";
/// Where the layers below a step are seen while its changes are told.
const BELOW: &str = "/box/below";

/// The layers and the one that a step may be making.
pub struct Layers {
    /// Lowest first.
    done: Vec<u32>,
    /// The top one takes further layers in: no step has seen it.
    open: bool,
    /// The upper directory of the last step.
    step: Option<u32>,
    last: u32,
}

/// An overlay to mount.
pub struct Overlay {
    /// Lowest first.
    lower: Vec<u32>,
    /// The upper directory, and one for overlayfs itself that no other mount has used.
    upper: Option<(u32, u32)>,
}

impl Layers {
    /// None yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> Result<Self, Failure> {
        for path in [DIRECTORY, WORK] {
            make_directories(path.as_ref()).stage("stage", path)?;
        }
        Ok(Self {
            done: Vec::new(),
            open: false,
            step: None,
            last: 0,
        })
    }

    /// For a layer that is added: in the top one, as long as no step has seen that.
    ///
    /// # Errors
    /// The kernel's.
    pub fn for_adding(&mut self) -> Result<Overlay, Failure> {
        if !self.open {
            let upper = self.make_upper()?;
            self.done.push(upper);
            self.open = true;
        }
        let work = self.make_work()?;
        let (upper, lower) = self
            .done
            .split_last()
            .map_or((self.last, &[][..]), |(top, rest)| (*top, rest));
        Ok(Overlay {
            lower: lower.to_vec(),
            upper: Some((upper, work)),
        })
    }

    /// For a step.
    ///
    /// # Errors
    /// The kernel's.
    pub fn for_step(&mut self) -> Result<Overlay, Failure> {
        self.open = false;
        let upper = self.make_upper()?;
        let work = self.make_work()?;
        self.step = Some(upper);
        Ok(Overlay {
            lower: self.done.clone(),
            upper: Some((upper, work)),
        })
    }

    /// What the last step has worked on, and the directory with its changes.
    #[must_use]
    pub fn difference(&self) -> (Overlay, String) {
        let below = Overlay {
            lower: self.done.clone(),
            upper: None,
        };
        (below, path_of(self.step.unwrap_or(0)))
    }

    /// The last step's changes are a layer.
    pub fn keep(&mut self) {
        self.done.extend(self.step.take());
    }

    /// Forgets the last step's changes; the directory that has them.
    pub fn discard(&mut self) -> String {
        path_of(self.step.take().unwrap_or(0))
    }

    /// A new directory that looks like the root below it: overlayfs takes the root's owner, mode and time from it.
    fn make_upper(&mut self) -> Result<u32, Failure> {
        self.last += 1;
        let path = path_of(self.last);
        mkdir(path.as_str(), Mode::RWXU).stage("stage", &path)?;
        let below = self.done.last().map_or_else(|| BASE.into(), |top| path_of(*top));
        let stat = stat(below.as_str()).stage("stage", &below)?;
        imitate(&path, &stat).stage("stage", &path)?;
        Ok(self.last)
    }

    fn make_work(&mut self) -> Result<u32, Failure> {
        self.last += 1;
        let path = format!("{WORK}/{}", self.last);
        mkdir(path.as_str(), Mode::RWXU).stage("stage", &path)?;
        Ok(self.last)
    }
}

impl Overlay {
    /// Mounts it.
    ///
    /// # Errors
    /// `mount_failed`.
    pub fn mount(&self, target: &str) -> Result<(), Failure> {
        // Names relative to the working directory: all options have to fit one page.
        chdir(DIRECTORY).mounting(DIRECTORY)?;
        let options = CString::new(self.options())
            .map_err(|_| Errno::INVAL)
            .mounting("overlay")?;
        mount("overlay", target, "overlay", MountFlags::NOATIME, options.as_c_str()).mounting("overlay")?;
        chdir("/").mounting("/")
    }

    /// Mounts what is below a step, if that is more than one directory.
    ///
    /// # Errors
    /// `mount_failed`.
    pub fn mount_below(&self) -> Result<(), Failure> {
        if self.lower.is_empty() {
            return Ok(());
        }
        self.mount(BELOW)
    }

    /// Where [`Overlay::mount_below`] has it seen.
    #[must_use]
    pub fn seen_below(&self) -> &'static str {
        if self.lower.is_empty() { BASE } else { BELOW }
    }

    /// Nothing is renamed or shared between layers, and nothing is ever synced: the disk ends with its VM.
    fn options(&self) -> String {
        let mut lower: Vec<String> = self.lower.iter().rev().map(ToString::to_string).collect();
        lower.push(BASE.into());
        let upper = self.upper.map_or_else(String::new, |(upper, work)| {
            format!(",upperdir={upper},workdir=../w/{work},volatile")
        });
        format!(
            "lowerdir={},index=off,metacopy=off,redirect_dir=off,xino=off{upper}",
            lower.join(":")
        )
    }
}

fn path_of(layer: u32) -> String {
    format!("{DIRECTORY}/{layer}")
}

fn imitate(path: &str, stat: &Stat) -> rustix::io::Result<()> {
    chown(path, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    chmod(path, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let time = Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_layer_is_named_first() {
        let overlay = Overlay {
            lower: vec![1, 4],
            upper: Some((7, 8)),
        };
        assert_eq!(
            overlay.options(),
            "lowerdir=4:1:/box/lower,index=off,metacopy=off,redirect_dir=off,xino=off,upperdir=7,workdir=../w/8,volatile"
        );
    }
}
