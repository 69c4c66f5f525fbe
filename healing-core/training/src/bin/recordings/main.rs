//! Replays the recordings of real services: `cargo run -p healing-training --bin recordings`.
//!
//! | arguments | output |
//! |---|---|
//! | none | decisions of the default policy for each run and phase, totals, and `RESULT` lines |
//! | `--schema-one` | the same for an app of schema 1 whose sockets cannot be read |
//! | `--differences` | runs that phase 0 decides otherwise than the policy of commit 8c11de9 did |
//! | `--ranges` | ranges of all recorded figures |

mod args;
mod report;

use std::error::Error;

use args::Args;
use clap::Parser as _;
use healing_training::recordings::{Collection, Detail, Range, figure_ranges};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let Collection { runs } = Collection::committed()?;
    if args.ranges {
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
        report::print_decisions(&runs, detail, args.seed);
        report::print_totals(&runs, detail, args.seed);
    }
    Ok(())
}
