//! Where the control groups of this process are: `/proc/self/cgroup` says which, and
//! `/proc/self/mountinfo` where their tree is mounted.

use std::path::{Component, Path, PathBuf};

/// Which files a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

/// The directories of this process's group and its visible ancestors, own group first.
///
/// A controller that v1 has mounted is v1's, even where a v2 tree exists beside it ("hybrid").
pub(super) fn levels(root: &Path, controller: Controller) -> Vec<(Version, PathBuf)> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let groups = read("proc/self/cgroup");
    let mounts = read("proc/self/mountinfo");

    for version in [Version::V1, Version::V2] {
        let Some(group) = groups
            .lines()
            .find_map(|line| group(line, version, controller))
        else {
            continue;
        };
        let Some((tree_root, mount)) = mounts
            .lines()
            .find_map(|line| mounted(line, version, controller))
        else {
            continue;
        };
        let inside = below(Path::new(group), Path::new(tree_root));
        let top = root.join(unescape(mount).trim_start_matches('/'));
        let mut levels: Vec<_> = inside
            .ancestors()
            .map(|ancestor| (version, top.join(ancestor)))
            .filter(|(_, path)| path.is_dir())
            .collect();
        levels.dedup();
        return levels;
    }
    Vec::new()
}

/// The path in a line such as `4:memory:/kubepods/x` (v1) or `0::/kubepods/x` (v2).
fn group(line: &str, version: Version, controller: Controller) -> Option<&str> {
    let mut fields = line.splitn(3, ':');
    let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let matches = match version {
        Version::V1 => controllers.split(',').any(|name| name == controller.name()),
        Version::V2 => id == "0" && controllers.is_empty(),
    };
    matches.then_some(path)
}

/// Root and mount point of the tree in a line of mountinfo, if it is the one.
fn mounted(line: &str, version: Version, controller: Controller) -> Option<(&str, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (tree_root, mount) = (fields.next()?, fields.next()?);
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let matches = match version {
        Version::V1 => kind == "cgroup" && options.split(',').any(|name| name == controller.name()),
        Version::V2 => kind == "cgroup2",
    };
    matches.then_some((tree_root, mount))
}

/// The group's path inside the mounted tree. A group outside it (a container that sees only its
/// own part, under the host's names) is the tree's top.
fn below(group: &Path, tree_root: &Path) -> PathBuf {
    match group.strip_prefix(tree_root) {
        Ok(inside)
            if inside
                .components()
                .all(|part| matches!(part, Component::Normal(_))) =>
        {
            inside.to_path_buf()
        }
        _ => PathBuf::new(),
    }
}

/// mountinfo writes a space in a path as `\040`.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
}
