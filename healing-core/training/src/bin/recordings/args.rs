//! Command line of the replay.

/// Replays the recordings of real services through the default policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Parser)]
#[command(name = "recordings")]
pub(crate) struct Args {
    /// Print the ranges of all recorded figures, and no replay.
    #[arg(long, conflicts_with_all = ["differences", "seed"])]
    pub(crate) ranges: bool,
    /// Print the figures of the runs that are rebuilt in the simulator, recorded and simulated, and no
    /// replay.
    #[arg(long, conflicts_with_all = ["ranges", "differences", "seed"])]
    pub(crate) rebuilt: bool,
    /// Replace the committed table of the rebuilt runs.
    #[arg(long, requires = "rebuilt")]
    pub(crate) write: bool,
    /// Print the runs that phase 0 decides otherwise than commit 8c11de9 did, and no other run.
    #[arg(long)]
    pub(crate) differences: bool,
    /// Seed of the policy's random delays. Without it there are no delays, or with --differences those that
    /// the table shows.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn arguments_have_defaults() {
        let args = Args::try_parse_from(["recordings"]).unwrap();
        assert_eq!(
            (args.ranges, args.differences, args.seed),
            (false, false, None)
        );
    }

    #[test]
    fn invalid_arguments_exit_2() {
        for args in [
            &["--seed", "many"][..],
            &["--ranges", "--differences"],
            &["--rebuilt", "--ranges"],
            &["--write"],
            &["all"],
        ] {
            let error = Args::try_parse_from([&["recordings"], args].concat()).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
    }
}
