//! Command line flags of the settings, generated from the schema.

use std::sync::LazyLock;

use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::{Flags, SETTINGS};

/// Arguments `--config FILE` and one flag per setting, for `#[command(flatten)]`.
#[derive(Debug, Clone, Default)]
pub struct SettingsArgs(pub Flags);

/// Flag names: the names of the settings with hyphens.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    SETTINGS
        .iter()
        .map(|setting| setting.name.replace('_', "-"))
        .collect()
});

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help("TOML file with settings [env: HEALING_CONFIG]")
            .help_heading("Settings");
        SETTINGS
            .iter()
            .zip(NAMES.iter())
            .fold(command.arg(config), |command, (setting, flag)| {
                let default = if setting.default.is_empty() {
                    "none"
                } else {
                    setting.default
                };
                command.arg(
                    Arg::new(setting.name)
                        .long(flag.as_str())
                        .value_name("VALUE")
                        .help_heading("Settings")
                        .help(format!(
                            "{} [env: {}] [default: {default}]",
                            setting.help, setting.env
                        )),
                )
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let names = SETTINGS.iter().map(|setting| setting.name);
        let flags = names
            .chain(["config"])
            .filter_map(|name| Some((name, matches.get_one::<String>(name)?.clone())))
            .collect();
        Ok(Self(flags))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}
