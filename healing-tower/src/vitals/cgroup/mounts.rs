//! Directories of this process's control groups. `/proc/self/cgroup` contains the names of the groups,
//! `/proc/self/mountinfo` the mount point of their tree.

use std::path::{Component, Path, PathBuf};

/// Version of the cgroup interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// Cgroup controller that is read.
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

/// Returns the directories of this process's group and its visible ancestors, own group first.
///
/// A controller mounted by v1 belongs to v1, even if a v2 tree is also mounted ("hybrid").
pub(super) fn levels(root: &Path, controller: Controller) -> Vec<(Version, PathBuf)> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let groups = read("proc/self/cgroup");
    let mounts = read("proc/self/mountinfo");

    for version in [Version::V1, Version::V2] {
        let Some(group) = groups
            .lines()
            .find_map(|line| parse_group(line, version, controller))
        else {
            continue;
        };
        let Some((tree_root, mount)) = mounts
            .lines()
            .find_map(|line| parse_mount(line, version, controller))
        else {
            continue;
        };
        let inside = relative_to_mount(Path::new(group), Path::new(tree_root));
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

/// Parses the path in a line such as `4:memory:/kubepods/x` (v1) or `0::/kubepods/x` (v2).
fn parse_group(line: &str, version: Version, controller: Controller) -> Option<&str> {
    let mut fields = line.splitn(3, ':');
    let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let matches = match version {
        Version::V1 => controllers.split(',').any(|name| name == controller.name()),
        Version::V2 => id == "0" && controllers.is_empty(),
    };
    matches.then_some(path)
}

/// Parses the root and the mount point in a line of mountinfo, if it mounts the controller's tree.
fn parse_mount(line: &str, version: Version, controller: Controller) -> Option<(&str, &str)> {
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

/// Returns the group's path inside the mounted tree. A group outside it (in a container that sees only
/// its own subtree, under the host's names) is the top of the tree.
fn relative_to_mount(group: &Path, tree_root: &Path) -> PathBuf {
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

/// Decodes a path of mountinfo, which writes a space as `\040`.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
}
