//! Settings: flags, then environment, then a TOML file, then defaults.
//!
//! [`load`] never fails: a value that is wrong is left out, and said so. What follows from that is
//! the caller's business: `healing config check` exits 78, the doctor runs on in `observe` (a
//! doctor that does not start would take the pod out of its Service).

mod flags;
mod origin;
mod parse;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::observation::Mode;

pub use self::flags::SettingsArgs;
pub use self::origin::{ConfigError, Environment, Origin, Process};
pub use self::table::{SETTINGS, Setting};

/// Everything the doctor needs to know at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The app's own port: the front door.
    pub app_url: reqwest::Url,
    /// The app's care port.
    pub care_url: reqwest::Url,
    /// Where the status server listens.
    pub bind: SocketAddr,
    /// How often the app is looked at.
    pub poll_interval: Duration,
    /// How long one probe may take.
    pub probe_timeout: Duration,
    /// How long a soft heal may take, all hooks together.
    pub heal_timeout: Duration,
    /// Before a hard heal: how long the drained app goes on accepting, so that load balancers
    /// notice.
    pub drain_settle: Duration,
    /// Before a hard heal: how long open requests may take to finish.
    pub drain_timeout: Duration,
    /// Whether decisions are carried out.
    pub mode: Mode,
    /// How a hard heal restarts the app.
    pub restart: Restart,
    /// State, journal and pause file.
    pub state_dir: PathBuf,
    /// Which defaults apply.
    pub profile: Profile,
    /// A model file instead of the built-in one.
    pub model: Option<PathBuf>,
    /// Which rules decide where no model does.
    pub rules: Rules,
    /// Holds the token for `POST /heal`.
    pub token_file: Option<PathBuf>,
    /// How logs are written.
    pub log_format: LogFormat,
    /// The policy's own settings.
    pub policy: PolicyConfig,
}

/// How a hard heal restarts the app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// The doctor exits 88, and the kubelet's rule or the local pod restarts everything.
    #[default]
    Exit,
    /// The app is condemned: its liveness probe fails, and the kubelet restarts it alone. The
    /// doctor stays up.
    Liveness,
}

/// A set of defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Profile {
    /// For service.
    #[default]
    Default,
    /// For demonstrations: everything shortened.
    Demo,
}

/// Which rules decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rules {
    /// The model, with compiled-in rules where it cannot decide.
    #[default]
    Default,
    /// The original system's literal rules, for comparison.
    Original,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// The settings, where each came from, and what was wrong.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Wrong values are replaced by their defaults.
    pub settings: Settings,
    /// Each setting in effect: name, value as text, origin.
    pub effective: Vec<(String, String, Origin)>,
    /// What was wrong; empty if nothing.
    pub errors: Vec<ConfigError>,
}

/// Values given as flags, by setting name. `config` names the TOML file.
pub type Flags = BTreeMap<&'static str, String>;

/// Read all layers.
#[must_use]
pub fn load(flags: &Flags, environment: &dyn Environment) -> Loaded {
    parse::load(flags, environment)
}

impl Loaded {
    /// Returns the settings with `mode = observe` if any of them is invalid.
    #[must_use]
    pub fn fail_safe(mut self) -> Self {
        if !self.errors.is_empty() {
            self.settings.mode = Mode::Observe;
            for (name, value, origin) in &mut self.effective {
                if name == "mode" {
                    "observe".clone_into(value);
                    *origin = Origin::Invalid;
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
