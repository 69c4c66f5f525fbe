//! Replays the recordings of real services: `cargo run -p healing-training --bin recordings`.
//!
//! | arguments | output |
//! |---|---|
//! | none | decisions of the default policy for each run and phase, totals, and `RESULT` lines |
//! | `--schema-one` | the same for an app of schema 1 whose sockets cannot be read |
//! | `--client-timeout` | the same with the time-out of the clients declared (`impairment.client_timeout`) |
//! | `--differences` | runs that phase 0 decides otherwise than the policy of commit 8c11de9 did |
//! | `--ranges` | ranges of all recorded figures |
//! | `--rebuilt` | figures of the runs that are rebuilt in the simulator, recorded and simulated |
//! | `--rebuilt --write` | the same, which also replaces the committed table |

mod args;
mod report;

use std::error::Error;

use args::Args;
use clap::Parser as _;
use healing_training::recordings::{
    Collection, Detail, Range, Recording, comparison_table, declared_policy, default_policy,
    figure_ranges, undelayed_policy,
};

/// Committed table of the rebuilt runs.
const REBUILT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/recordings/rebuilt.txt"
);

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let Collection { runs } = Collection::committed()?;
    if args.rebuilt {
        let table = comparison_table(runs.iter().map(|run| &run.recording));
        print!("{table}");
        if args.write {
            std::fs::write(REBUILT, table)?;
        }
    } else if args.ranges {
        println!("{}", Range::HEAD);
        for range in figure_ranges(runs.iter().map(|run| &run.recording)) {
            println!("{range}");
        }
    } else if args.differences {
        report::print_differences(&runs, args.seed);
    } else {
        let detail = if args.schema_one {
            Detail::SchemaOne
        } else {
            Detail::Recorded
        };
        let policy = |recording: &Recording| match args.seed {
            Some(seed) => default_policy(seed),
            None if args.client_timeout => declared_policy(recording),
            None => undelayed_policy(),
        };
        report::print_decisions(&runs, detail, policy);
        report::print_totals(&runs, detail, policy);
    }
    Ok(())
}
