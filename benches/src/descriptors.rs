//! Limit of file descriptors of this process and of those that it starts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limit, because each request in flight needs a descriptor here and in the service.
const DESCRIPTORS: u64 = 20_000;

/// Raises the limit, at most to its maximum.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(crate) fn raise_limit() -> rustix::io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(current),
            maximum,
        },
    )
}
