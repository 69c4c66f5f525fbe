//! Command line of the judge.

use std::path::PathBuf;

use super::incidents;
use healing_training::episode::Population;
use healing_training::judge::deciders::DeciderName;
use healing_training::judge::run::Plan;

/// Number of episodes of each population.
const EPISODES: u32 = 630;
/// Number of episodes of each population with `--quick`.
const QUICK_EPISODES: u32 = 42;

/// Compares deciders on episodes in closed loop, by cost, with common random numbers.
#[derive(Debug, Clone, PartialEq, Eq, clap::Parser)]
#[command(name = "judge", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Population; may be repeated. Default: all.
    #[arg(long = "population", value_name = "P")]
    populations: Vec<String>,
    /// Decider; may be repeated. Default: all but the controls cpu_80 and blind.
    #[arg(long = "decider", value_name = "D", value_parser = decider)]
    deciders: Vec<DeciderName>,
    /// Number of episodes of each population [default: 630].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    episodes: Option<u32>,
    /// Seed of the run.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Runs 42 episodes of each population.
    #[arg(long, conflicts_with = "episodes")]
    quick: bool,
    /// Results file: finished episodes are appended, those in it are not run again.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// Other comparison.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub(crate) enum Command {
    /// Compares the default model with its baselines on single decisions.
    Incidents(incidents::Args),
    /// Prints one episode: its parameters, the decisions whenever their reasons change, and its treatments.
    Explain(Explain),
}

/// Episode to explain.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Explain {
    /// Population of the episode.
    #[arg(long, value_name = "P")]
    pub(crate) population: String,
    /// Seed of the episode, as in a results file.
    #[arg(long, value_name = "S")]
    pub(crate) seed: u64,
    /// Decider.
    #[arg(long, value_name = "D", value_parser = decider, default_value = "rules")]
    pub(crate) decider: DeciderName,
}

/// Error of a decider's name.
#[derive(Debug, thiserror::Error)]
#[error("expected one of {}", DeciderName::ALL.map(DeciderName::as_str).join(", "))]
struct UnknownDecider;

fn decider(text: &str) -> Result<DeciderName, UnknownDecider> {
    DeciderName::from_name(text).ok_or(UnknownDecider)
}

impl Args {
    /// Returns the plan of the run.
    pub(crate) fn plan(&self, populations: &[Box<dyn Population>]) -> Plan {
        let all = || populations.iter().map(|known| known.name().to_owned());
        let mut deciders = self.deciders.clone();
        if deciders.is_empty() {
            deciders = DeciderName::ALL.to_vec();
            deciders.retain(|decider| !decider.is_control());
        }
        let default = if self.quick { QUICK_EPISODES } else { EPISODES };
        Plan {
            populations: if self.populations.is_empty() {
                all().collect()
            } else {
                without_repetition(self.populations.clone())
            },
            deciders: without_repetition(deciders),
            episodes: self.episodes.unwrap_or(default),
            seed: self.seed,
        }
    }
}

/// Returns each value once, in order.
fn without_repetition<T: PartialEq>(values: Vec<T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use healing_training::judge::populations;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["judge"], args].concat())
    }

    #[test]
    fn default_plan_has_all_populations_and_no_control() {
        let plan = parse(&[]).unwrap().plan(&populations());
        assert_eq!((plan.episodes, plan.seed), (EPISODES, 1));
        assert_eq!(plan.populations.len(), populations().len());
        assert_eq!(plan.deciders.len(), DeciderName::ALL.len() - 2);
        assert!(!plan.deciders.iter().any(|decider| decider.is_control()));
    }

    #[test]
    fn flags_select_populations_deciders_and_episodes() {
        let flags =
            "--population a --population b --population a --decider blind --decider rules --seed 9";
        let args: Vec<&str> = flags.split(' ').chain(["--quick"]).collect();
        let plan = parse(&args).unwrap().plan(&populations());
        assert_eq!(plan.populations, ["a", "b"]);
        assert_eq!(plan.deciders, [DeciderName::Blind, DeciderName::Rules]);
        assert_eq!((plan.episodes, plan.seed), (QUICK_EPISODES, 9));
        let plan = parse(&["--episodes", "7"]).unwrap().plan(&populations());
        assert_eq!(plan.episodes, 7);
    }

    #[test]
    fn invalid_flags_exit_2_and_name_the_expected_form() {
        for (args, part) in [
            (
                &["--decider", "oracle"][..],
                "expected one of nothing, liveness",
            ),
            (&["--episodes", "0"], "--episodes <N>"),
            (&["--quick", "--episodes", "3"], "cannot be used with"),
            (&["--quick", "incidents"], "incidents"),
            (&["--seeds", "3"], "'--seed'"),
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn incidents_is_a_subcommand_with_its_own_flags() {
        let args = parse(&[
            "incidents",
            "--seeds",
            "2",
            "--incidents",
            "6",
            "--first-seed",
            "40",
        ]);
        let Some(Command::Incidents(args)) = args.unwrap().command else {
            panic!("no subcommand");
        };
        assert_eq!((args.seeds, args.incidents, args.first_seed), (2, 6, 40));
    }
}
