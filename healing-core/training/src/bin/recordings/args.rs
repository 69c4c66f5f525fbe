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
    /// Poll an app of schema 1 whose sockets cannot be read: leave out the figures that were recorded beside
    /// the answers.
    #[arg(long, conflicts_with_all = ["ranges", "differences"])]
    pub(crate) schema_one: bool,
    /// Declare to the policy the time-out of each run's clients.
    #[arg(long, conflicts_with_all = ["ranges", "rebuilt", "differences", "seed"])]
    pub(crate) client_timeout: bool,
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
            (args.ranges, args.differences, args.schema_one, args.seed),
            (false, false, false, None)
        );
        assert!(!args.client_timeout);
    }

    #[test]
    fn invalid_arguments_exit_2() {
        for args in [
            &["--seed", "many"][..],
            &["--ranges", "--differences"],
            &["--rebuilt", "--ranges"],
            &["--write"],
            &["--client-timeout", "--seed", "1"],
            &["all"],
        ] {
            let error = Args::try_parse_from([&["recordings"], args].concat()).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
    }
}
