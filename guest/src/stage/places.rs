//! Where the mounts of a step are once links are followed, as the step's root has them.

use std::os::fd::AsFd;

use rustix::fs::readlinkat;
use rustix::io::Errno;

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

/// What every step gets where its root has none. Unlike a box it keeps its own names of machines, and has no `.dockerenv`: what a
/// command makes there is the command's.
const OF_A_STEP: [&str; 5] = ["/dev", "/proc", "/sys", "/etc/hosts", "/etc/resolv.conf"];

/// The path of `target` below `root` without a link in it, as a layer has it. What is missing has no links.
///
/// # Errors
/// `LOOP` for too many links, or the kernel's.
pub fn resolve(root: impl AsFd, target: &str) -> rustix::io::Result<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut left = names_of(target.as_bytes());
    let mut links = 0;
    while let Some(name) = left.pop() {
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => {
                found.pop();
                continue;
            }
            _ => found.push(name),
        }
        match readlinkat(&root, found.join(&b'/').as_slice(), Vec::new()) {
            Ok(link) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP);
                }
                let link = link.into_bytes();
                found.pop();
                if link.starts_with(b"/") {
                    found.clear();
                }
                left.extend(names_of(&link));
            }
            Err(Errno::INVAL | Errno::NOENT | Errno::NOTDIR) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found.join(&b'/'))
}

/// The last one first.
fn names_of(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
}

/// The paths of what is mounted and of all directories above, as they stand in a layer. `root` is what the step began with.
#[must_use]
pub fn places(root: impl AsFd, targets: &[String]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for target in OF_A_STEP.into_iter().chain(targets.iter().map(String::as_str)) {
        // What cannot be followed could not be mounted on.
        let Ok(path) = resolve(&root, target) else { continue };
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in ends.map(|(at, _)| at).chain([path.len()]) {
            if end > 0 && !found.iter().any(|known| known == &path[..end]) {
                found.push(path[..end].to_vec());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn told(name: &str, links: &[(&str, &str)], targets: &[&str]) -> Vec<String> {
        let base = std::env::temp_dir().join(format!("a3s-places-{}-{name}", std::process::id()));
        fs::create_dir_all(base.join("real/inner")).unwrap();
        for (path, target) in links {
            symlink(target, base.join(path)).unwrap();
        }
        let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
        let found = places(fs::File::open(&base).unwrap(), &targets);
        fs::remove_dir_all(base).unwrap();
        let names = found.into_iter().map(|path| String::from_utf8(path).unwrap());
        names.collect()
    }

    const ALWAYS: [&str; 6] = ["dev", "proc", "sys", "etc", "etc/hosts", "etc/resolv.conf"];

    #[test]
    fn places_are_the_targets_and_what_is_above_them() {
        let found = told("plain", &[], &["/root//.cache/go", "/opt/../srv/x"]);
        let own = ["root", "root/.cache", "root/.cache/go", "srv", "srv/x"];
        assert_eq!(found, [&ALWAYS[..], &own].concat());
    }

    #[test]
    fn links_lead_where_they_lead_in_the_root() {
        let links = [
            ("absolute", "/real"),
            ("real/inner/up", "../../absolute/inner"),
            ("out", "../../nowhere"),
            ("loop", "loop/x"),
        ];
        let found = told("links", &links, &["/absolute/inner/up/a", "/out/b", "/loop/c"]);
        let own = ["real", "real/inner", "real/inner/a", "nowhere", "nowhere/b"];
        assert_eq!(found, [&ALWAYS[..], &own].concat());
    }
}
