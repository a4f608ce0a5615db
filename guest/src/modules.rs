//! Loads the kernel modules that the initramfs brings, in the order of their names.

use std::ffi::CStr;
use std::fs::{self, File};

use rustix::io::Errno;
use rustix::system::finit_module;

use crate::fatal::{AtStage, BootError};

const DIRECTORY: &str = "/modules";
const NO_PARAMETERS: &CStr = c"";

/// Loads all modules, and deletes the files: in an initramfs they are memory.
///
/// # Errors
/// A module that the kernel refuses, unless it has it already.
pub fn load_all() -> Result<(), BootError> {
    let Ok(entries) = fs::read_dir(DIRECTORY) else {
        return Ok(());
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.to_string_lossy();
        let file = File::open(&path).at("modules", &name)?;
        match finit_module(&file, NO_PARAMETERS, 0) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(BootError::new("modules", &name, &e.into())),
        }
        fs::remove_file(&path).at("modules", &name)?;
    }
    let _ = fs::remove_dir(DIRECTORY);
    Ok(())
}
