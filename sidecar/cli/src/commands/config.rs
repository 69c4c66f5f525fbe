//! `healing config show|check`: which settings are in effect, and whether they are right.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::{fail, print};
use healing_sidecar::config::{Loaded, Process, SettingsArgs, load};
use healing_sidecar::exit_code;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every setting, its value, and where it comes from.
    Show(SettingsArgs),
    /// Whether the settings are right; exit 78 and what is wrong if not.
    Check(SettingsArgs),
}

pub(super) fn run(args: &Args) -> ExitCode {
    match &args.command {
        What::Show(settings) => {
            let loaded = load(&settings.0, &Process).harmless();
            print(&table(&loaded));
            verdict(&loaded)
        }
        What::Check(settings) => {
            let loaded = load(&settings.0, &Process);
            let code = verdict(&loaded);
            if loaded.errors.is_empty() {
                print("the configuration is valid\n");
            }
            code
        }
    }
}

fn verdict(loaded: &Loaded) -> ExitCode {
    for error in &loaded.errors {
        fail(exit_code::CONFIG, error);
    }
    if loaded.errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit_code::CONFIG)
    }
}

fn table(loaded: &Loaded) -> String {
    let width = |of: fn(&(String, String, healing_sidecar::config::Origin)) -> &str| {
        loaded.effective.iter().map(|row| of(row).len()).max()
    };
    let names = width(|row| &row.0).unwrap_or(0);
    let values = width(|row| &row.1).unwrap_or(0).min(40);
    let mut text = String::new();
    for (name, value, origin) in &loaded.effective {
        let value = if value.is_empty() { "-" } else { value };
        let _ = writeln!(text, "{name:names$}  {value:values$}  {origin}");
    }
    text
}
