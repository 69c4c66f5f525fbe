//! Command line of `judge incidents`.

use healing_training::default_model::INCIDENTS;

/// Compares the default model with its baselines on simulated incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Parser)]
#[command(name = "incidents")]
pub(crate) struct Args {
    /// Number of seeds; the printed bounds are exact for 20.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    pub(crate) seeds: u32,
    /// Number of incidents of each scenario.
    #[arg(long, value_name = "N", default_value_t = INCIDENTS, value_parser = positive)]
    pub(crate) incidents: u32,
    /// First seed; the others follow it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = natural)]
    pub(crate) first_seed: u32,
}

/// Error of a number on the command line.
#[derive(Debug, thiserror::Error)]
#[error("expected a whole number from {least} to {}", u32::MAX)]
struct NotInRange {
    least: u32,
}

fn positive(text: &str) -> Result<u32, NotInRange> {
    at_least(1, text)
}

fn natural(text: &str) -> Result<u32, NotInRange> {
    at_least(0, text)
}

fn at_least(least: u32, text: &str) -> Result<u32, NotInRange> {
    text.parse()
        .ok()
        .filter(|number| *number >= least)
        .ok_or(NotInRange { least })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use clap::error::ErrorKind;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["incidents"], args].concat())
    }

    #[test]
    fn arguments_have_defaults() {
        let args = parse(&[]).unwrap();
        assert_eq!(
            (args.seeds, args.incidents, args.first_seed),
            (20, INCIDENTS, 0)
        );
    }

    #[test]
    fn arguments_are_named_flags_in_any_order() {
        let args = parse(&["--first-seed", "40", "--incidents=6", "--seeds", "2"]).unwrap();
        assert_eq!((args.seeds, args.incidents, args.first_seed), (2, 6, 40));
    }

    #[test]
    fn invalid_arguments_exit_2_and_name_the_expected_form() {
        for (args, parts) in [
            (
                &["--seeds", "0"][..],
                &["--seeds", "'0'", "from 1 to 4294967295"][..],
            ),
            (
                &["--incidents", "many"],
                &["--incidents", "'many'", "from 1 to"],
            ),
            (&["--first-seed=-1"], &["--first-seed", "'-1'", "from 0 to"]),
            (&["--seeds"], &["a value is required", "--seeds <N>"]),
            (&["20"], &["unexpected argument '20'", "Usage: incidents"]),
            (&["--seed", "3"], &["'--seed'", "'--seeds'"]),
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
            let message = error.to_string();
            for part in parts {
                assert!(message.contains(part), "{args:?}: no {part} in {message}");
            }
        }
    }

    #[test]
    fn help_names_all_flags_and_exits_0() {
        let help = parse(&["--help"]).unwrap_err();
        assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0));
        for flag in ["--seeds <N>", "--incidents <N>", "--first-seed <N>"] {
            assert!(help.to_string().contains(flag), "{help}");
        }
    }
}
