//! Settings, in layers: flags override the environment, which overrides a TOML file, which overrides
//! the defaults.
//!
//! [`load`] never fails. An invalid value is replaced by its default and reported, and the caller
//! decides on the consequence: `healing config check` exits 78; the doctor runs in `observe`, because
//! a doctor that does not start would take the pod out of its Service.

mod environment;
mod error;
mod flags;
mod load;
mod origin;
mod policy_table;
mod schema;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::observation::Mode;

pub use self::environment::{Environment, Process};
pub use self::error::ConfigError;
pub use self::flags::SettingsArgs;
pub use self::origin::Origin;
pub use self::schema::{SETTINGS, Setting};

/// Settings of the doctor.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the app's own port (the front door).
    pub app_url: reqwest::Url,
    /// Address of the app's care port.
    pub care_url: reqwest::Url,
    /// Address of the status server.
    pub bind: SocketAddr,
    /// Time between two polls of the app.
    pub poll_interval: Duration,
    /// Time limit of one probe.
    pub probe_timeout: Duration,
    /// Time limit of a soft heal, all hooks together.
    pub heal_timeout: Duration,
    /// Time that a drained app still accepts requests before a hard heal, so that load balancers
    /// notice.
    pub drain_settle: Duration,
    /// Time limit for in-flight requests to finish before a hard heal.
    pub drain_timeout: Duration,
    /// Mode in which decisions are reported only, or carried out.
    pub mode: Mode,
    /// Mechanism by which a hard heal restarts the app.
    pub restart: Restart,
    /// Directory of state, journal and pause file.
    pub state_dir: PathBuf,
    /// Set of defaults.
    pub profile: Profile,
    /// Model file that replaces the built-in model.
    pub model: Option<PathBuf>,
    /// Rules that decide when the model cannot.
    pub rules: Rules,
    /// File with the token for `POST /heal`.
    pub token_file: Option<PathBuf>,
    /// Format of the logs.
    pub log_format: LogFormat,
    /// Settings of the policy.
    pub policy: PolicyConfig,
}

/// Mechanism by which a hard heal restarts the app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// The doctor exits 88, and the kubelet's rule or the local pod restarts all containers.
    #[default]
    Exit,
    /// The app is condemned. Its liveness probe fails, and the kubelet restarts only the app. The
    /// doctor keeps running.
    Liveness,
}

/// Set of defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Profile {
    /// Defaults for production.
    #[default]
    Default,
    /// Defaults for demonstrations, with all times shortened.
    Demo,
}

/// Choice of the rules that decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rules {
    /// The model, with compiled-in rules when it cannot decide.
    #[default]
    Default,
    /// The original system's literal rules, for comparison.
    Original,
}

/// Format of the logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// Text for people.
    Text,
}

/// Settings with their origins and errors.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings, with defaults in place of invalid values.
    pub settings: Settings,
    /// Each effective setting: name, value as text, origin.
    pub effective: Vec<(String, String, Origin)>,
    /// Invalid settings; empty if all are valid.
    pub errors: Vec<ConfigError>,
}

/// Values of the flags by name of the setting. `config` is the path of the TOML file.
pub type Flags = BTreeMap<&'static str, String>;

/// Loads the settings from all layers.
#[must_use]
pub fn load(flags: &Flags, environment: &dyn Environment) -> Loaded {
    load::load(flags, environment)
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
