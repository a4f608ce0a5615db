//! `name`, `uid`, `name:group`, `uid:gid` against a box's own /etc/passwd and /etc/group, by the rules of
//! moby/sys/user's `GetExecUser`, which Docker and runc use.

use std::fs::File;
use std::io::Read;

use rustix::fs::{Mode, OFlags, open};

use crate::failure::{Code, Failure};

/// Databases beyond this are cut: a box must not make the agent's child read without end.
const MAX_DATABASE: u64 = 4 << 20;
const MAX_ID: u32 = (1 << 31) - 1;

/// Who a command runs as.
#[derive(Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub home: String,
}

impl User {
    /// Resolves `spec` with the files below the current root; `further` groups are the user's, too.
    ///
    /// # Errors
    /// `bad_user`: no such user or group, or a number out of range.
    pub fn resolve(spec: &str, further: &[String]) -> Result<Self, Failure> {
        let mut user = resolve(spec, &database("/etc/passwd"), || database("/etc/group"))?;
        // Docker lists the primary group among the others too (CVE-2022-36109).
        if !user.groups.contains(&user.gid) {
            user.groups.insert(0, user.gid);
        }
        if !further.is_empty() {
            let known = database("/etc/group");
            for group in further {
                let gid = group_id(group, &known)?;
                if !user.groups.contains(&gid) {
                    user.groups.push(gid);
                }
            }
        }
        Ok(user)
    }
}

/// A missing or odd database counts as empty, as in runc. `O_NONBLOCK`: it may be a FIFO.
fn database(path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        let _ = File::from(file).take(MAX_DATABASE).read_to_end(&mut bytes);
    }
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

fn resolve(spec: &str, passwd: &str, group: impl FnOnce() -> String) -> Result<User, Failure> {
    let (user_arg, group_arg) = spec.split_once(':').unwrap_or((spec, ""));
    let uid_arg = user_arg.parse::<u32>().ok();
    let entry = passwd.lines().filter_map(Passwd::parse).find(|entry| {
        if user_arg.is_empty() {
            entry.uid == 0
        } else {
            entry.name == user_arg || uid_arg == Some(entry.uid)
        }
    });
    let mut user = User {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
        home: "/".into(),
    };
    if let Some(entry) = &entry {
        user.uid = entry.uid;
        user.gid = entry.gid;
        if !entry.home.is_empty() {
            user.home = entry.home.into();
        }
    } else if !user_arg.is_empty() {
        user.uid = number(uid_arg, || {
            format!("unable to find user {user_arg}: no matching entries in passwd file")
        })?;
    }
    if group_arg.is_empty() && entry.is_none() {
        return Ok(user);
    }
    let gid_arg = group_arg.parse::<u32>().ok();
    let group = group();
    let mut entries = group.lines().filter_map(Group::parse);
    if group_arg.is_empty() {
        let name = entry.map_or("", |entry| entry.name);
        user.groups = entries.filter(|group| group.has(name)).map(|group| group.gid).collect();
    } else if let Some(group) = entries.find(|group| group.name == group_arg || gid_arg == Some(group.gid)) {
        user.gid = group.gid;
    } else {
        user.gid = number(gid_arg, || {
            format!("unable to find group {group_arg}: no matching entries in group file")
        })?;
    }
    Ok(user)
}

/// A group by its name or number.
fn group_id(text: &str, known: &str) -> Result<u32, Failure> {
    let named = known.lines().filter_map(Group::parse).find(|group| group.name == text);
    match named {
        Some(group) => Ok(group.gid),
        None => number(text.parse().ok(), || {
            format!("Unable to find group {text}: no matching entries in group file")
        }),
    }
}

fn number(id: Option<u32>, otherwise: impl FnOnce() -> String) -> Result<u32, Failure> {
    match id {
        Some(id) if id <= MAX_ID => Ok(id),
        Some(_) => Err(Failure::new(
            Code::BadUser,
            "user",
            "uids and gids must be in range 0-2147483647",
        )),
        None => Err(Failure::new(Code::BadUser, "user", otherwise())),
    }
}

struct Passwd<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Passwd<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let home = fields.nth(1).unwrap_or("");
        Some(Self { name, uid, gid, home })
    }
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some(Self {
            name,
            gid,
            members: fields.next().unwrap_or(""),
        })
    }

    fn has(&self, name: &str) -> bool {
        self.members.split(',').any(|member| member.trim() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# note\nbob:x:1000:1000::/home/bob:/bin/sh\nbare:x:7:8:::\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,bob\nstaff:x:50:bob\n";

    fn look(spec: &str) -> Result<(u32, u32, Vec<u32>, String), String> {
        resolve(spec, PASSWD, || GROUP.into())
            .map(|user| (user.uid, user.gid, user.groups, user.home))
            .map_err(|failure| failure.message)
    }

    #[test]
    fn empty_is_root_with_its_groups() {
        assert_eq!(look(""), Ok((0, 0, vec![10], "/root".into())));
    }

    #[test]
    fn names_and_numbers_bring_groups_and_home() {
        let bob = (1000, 1000, vec![10, 50], "/home/bob".to_string());
        assert_eq!(look("bob"), Ok(bob.clone()));
        assert_eq!(look("1000"), Ok(bob));
        assert_eq!(look("bare"), Ok((7, 8, vec![], "/".into())));
    }

    #[test]
    fn unknown_numbers_are_taken_as_they_are() {
        assert_eq!(look("4711"), Ok((4711, 0, vec![], "/".into())));
        assert_eq!(look("4711:4712"), Ok((4711, 4712, vec![], "/".into())));
    }

    #[test]
    fn a_group_replaces_the_groups() {
        assert_eq!(look("bob:staff"), Ok((1000, 50, vec![], "/home/bob".into())));
        assert_eq!(look("bob:51"), Ok((1000, 51, vec![], "/home/bob".into())));
    }

    #[test]
    fn further_groups_are_names_or_numbers() {
        assert_eq!(group_id("staff", GROUP), Ok(50));
        assert_eq!(group_id("4711", GROUP), Ok(4711));
        let message = group_id("nosuch", GROUP).map_err(|failure| failure.message);
        assert_eq!(
            message,
            Err("Unable to find group nosuch: no matching entries in group file".into())
        );
    }

    #[test]
    fn unknown_names_are_refused_in_dockers_words() {
        assert_eq!(
            look("nosuch"),
            Err("unable to find user nosuch: no matching entries in passwd file".into())
        );
        assert_eq!(
            look("bob:nosuch"),
            Err("unable to find group nosuch: no matching entries in group file".into())
        );
        assert!(look("4294967295").is_err());
    }
}
