//! Tests with fixture trees of containers, hosts and hybrid setups.

use super::*;
use std::fs;

/// Directory tree, removed on drop.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("temporary directory"));
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("create");
        fs::write(path, text).expect("write");
    }

    fn read(&self) -> Limits {
        Cgroup::discover(self.0.path()).read()
    }
}

const V2_MOUNT: &str = "31 30 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";

#[test]
fn v2_group_in_container_is_root_of_mount() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", "268435456\n"),
        ("sys/fs/cgroup/memory.current", "104857600\n"),
        (
            "sys/fs/cgroup/memory.stat",
            "anon 1\nfile 2\ninactive_file 20971520\nactive_file 3\n",
        ),
        ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
        (
            "sys/fs/cgroup/cpu.stat",
            "usage_usec 9\nuser_usec 5\nsystem_usec 4\nnr_periods 40\nnr_throttled 3\n\
             throttled_usec 2500000\nnr_bursts 0\nburst_usec 0\n",
        ),
    ]);
    assert_eq!(
        tree.read(),
        Limits {
            cpu_cores: Some(0.5),
            throttling: Throttling {
                seconds: Some(2.5),
                periods: Some(40),
                throttled_periods: Some(3),
            },
            memory: Some(Memory {
                limit: 268_435_456,
                working_set: Some(83_886_080)
            }),
        }
    );
}

#[test]
fn smallest_ancestor_limit_applies_with_usage_of_its_group() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/kubepods/pod1/app\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/kubepods/pod1/app/memory.max", "max\n"),
        ("sys/fs/cgroup/kubepods/pod1/app/memory.current", "10\n"),
        (
            "sys/fs/cgroup/kubepods/pod1/app/memory.stat",
            "inactive_file 1\n",
        ),
        ("sys/fs/cgroup/kubepods/pod1/app/cpu.max", "max 100000\n"),
        (
            "sys/fs/cgroup/kubepods/pod1/app/cpu.stat",
            "throttled_usec 0\n",
        ),
        ("sys/fs/cgroup/kubepods/pod1/memory.max", "1000\n"),
        ("sys/fs/cgroup/kubepods/pod1/memory.current", "400\n"),
        (
            "sys/fs/cgroup/kubepods/pod1/memory.stat",
            "inactive_file 100\n",
        ),
        ("sys/fs/cgroup/kubepods/pod1/cpu.max", "150000 100000\n"),
        (
            "sys/fs/cgroup/kubepods/pod1/cpu.stat",
            "nr_periods 900\nnr_throttled 9\nthrottled_usec 7500000\n",
        ),
        ("sys/fs/cgroup/kubepods/memory.max", "5000\n"),
        ("sys/fs/cgroup/kubepods/memory.current", "4000\n"),
        ("sys/fs/cgroup/kubepods/memory.stat", "inactive_file 0\n"),
        ("sys/fs/cgroup/kubepods/cpu.max", "400000 100000\n"),
        ("sys/fs/cgroup/kubepods/cpu.stat", "throttled_usec 1\n"),
    ]);
    let limits = tree.read();
    assert_eq!(
        limits.memory,
        Some(Memory {
            limit: 1000,
            working_set: Some(300)
        })
    );
    assert_eq!(limits.cpu_cores, Some(1.5));
    assert_eq!(
        limits.throttling.seconds,
        Some(7.5),
        "of the group with the quota, which does not throttle the others"
    );
    assert_eq!(limits.throttling.periods, Some(900));
    assert_eq!(limits.throttling.throttled_periods, Some(9));
}

#[test]
fn throttled_time_is_of_quota_level_or_absent() {
    let mut files = vec![
        ("proc/self/cgroup", "0::/pod/app\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/app/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/pod/app/cpu.stat", "throttled_usec 0\n"),
        ("sys/fs/cgroup/pod/cpu.max", "max 100000\n"),
    ];
    assert_eq!(
        Tree::new(&files).read().throttling.seconds,
        Some(0.0),
        "zero, not absent, without a quota"
    );
    files[4].1 = "50000 100000\n";
    let limits = Tree::new(&files).read();
    assert_eq!(limits.cpu_cores, Some(0.5));
    assert_eq!(
        limits.throttling.seconds, None,
        "not taken from another level"
    );
}

#[test]
fn memory_limit_applies_without_usage_files() {
    let mut files = vec![
        ("proc/self/cgroup", "0::/pod/app\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/pod/memory.max", "5000\n"),
        ("sys/fs/cgroup/pod/memory.current", "10\n"),
        ("sys/fs/cgroup/pod/memory.stat", "inactive_file 0\n"),
        ("sys/fs/cgroup/pod/app/memory.max", "1000\n"),
        ("sys/fs/cgroup/pod/app/memory.current", "400\n"),
        ("sys/fs/cgroup/pod/app/memory.stat", "anon 1\n"),
    ];
    let limit_only = Some(Memory {
        limit: 1000,
        working_set: None,
    });
    while files.len() > 6 {
        assert_eq!(Tree::new(&files).read().memory, limit_only, "{files:?}");
        files.pop();
    }
    assert_eq!(
        Tree::new(&files).read().memory,
        limit_only,
        "only the limit file"
    );
}

#[test]
fn v1_controllers_are_read_from_their_own_trees_in_hybrid_mounts() {
    let tree = Tree::new(&[
        (
            "proc/self/cgroup",
            "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/x\n",
        ),
        (
            "proc/self/mountinfo",
            "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        ),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "67108864\n"),
        (
            "sys/fs/cgroup/memory/memory.stat",
            "inactive_file 7\ntotal_inactive_file 1048576\n",
        ),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        (
            "sys/fs/cgroup/cpu,cpuacct/cpu.stat",
            "nr_periods 60\nnr_throttled 2\nthrottled_time 1500000000\n",
        ),
        ("sys/fs/cgroup/unified/x/memory.max", "1\n"),
    ]);
    assert_eq!(
        tree.read(),
        Limits {
            cpu_cores: Some(2.0),
            throttling: Throttling {
                seconds: Some(1.5),
                periods: Some(60),
                throttled_periods: Some(2),
            },
            memory: Some(Memory {
                limit: 134_217_728,
                working_set: Some(66_060_288)
            }),
        }
    );
}

#[test]
fn limits_are_absent_on_v1_without_limits() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "5:memory:/\n3:cpu:/\n"),
        (
            "proc/self/mountinfo",
            "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
        ),
        (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        ),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "67108864\n"),
        (
            "sys/fs/cgroup/memory/memory.stat",
            "total_inactive_file 1048576\n",
        ),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(tree.read(), Limits::default());
}

#[test]
fn group_under_host_name_is_top_of_visible_tree() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/../../host/name\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "10\n"),
        ("sys/fs/cgroup/memory.stat", "inactive_file 20\n"),
    ]);
    let memory = tree.read().memory;
    assert_eq!(
        memory,
        Some(Memory {
            limit: 1000,
            working_set: Some(0)
        }),
        "never below zero"
    );
}

#[test]
fn in_place_resize_is_read_without_reopening() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", V2_MOUNT),
        ("sys/fs/cgroup/memory.max", "max\n"),
        ("sys/fs/cgroup/memory.current", "500\n"),
        ("sys/fs/cgroup/memory.stat", "inactive_file 0\n"),
    ]);
    let mut cgroup = Cgroup::discover(tree.0.path());
    assert_eq!(cgroup.read().memory, None);
    tree.write("sys/fs/cgroup/memory.max", "2000\n");
    assert_eq!(
        cgroup.read().memory,
        Some(Memory {
            limit: 2000,
            working_set: Some(500)
        })
    );
}

#[test]
fn limits_are_absent_for_invalid_files() {
    for text in [
        "",
        "\n",
        "abc",
        "-5",
        "99999999999999999999999999",
        "max max",
        "1e3",
        "\u{0}",
    ] {
        let tree = Tree::new(&[
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", V2_MOUNT),
            ("sys/fs/cgroup/memory.max", text),
            ("sys/fs/cgroup/memory.current", text),
            ("sys/fs/cgroup/memory.stat", text),
            ("sys/fs/cgroup/cpu.max", text),
            ("sys/fs/cgroup/cpu.stat", text),
        ]);
        assert_eq!(tree.read(), Limits::default(), "{text:?}");
    }
    assert_eq!(
        Tree::new(&[("proc/self/cgroup", "invalid")]).read(),
        Limits::default()
    );
    assert_eq!(Tree::new(&[]).read(), Limits::default());
}
