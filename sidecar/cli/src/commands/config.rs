//! `healing config show|check`: the effective settings and their errors.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Subcommand;
use healing_sidecar::config::{Loaded, Origin, Process, SettingsArgs, load};

use super::error::CommandError;
use super::print;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting with its value and origin.
    Show(SettingsArgs),
    /// Check the settings. Exit 78 and name each error if one is invalid.
    Check(SettingsArgs),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    match &args.command {
        ConfigCommand::Show(settings) => {
            let loaded = load(&settings.0, &Process).fail_safe();
            print(&table(&loaded));
            valid(loaded)?;
        }
        ConfigCommand::Check(settings) => {
            valid(load(&settings.0, &Process))?;
            print("the configuration is valid\n");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn valid(loaded: Loaded) -> Result<(), CommandError> {
    if loaded.errors.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Config(loaded.errors))
    }
}

fn table(loaded: &Loaded) -> String {
    let width = |column: fn(&(String, String, Origin)) -> &str| {
        loaded.effective.iter().map(|row| column(row).len()).max()
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
