//! Schema of the settings: names, environment variables, defaults and help.

/// Setting outside the `[policy]` table.
#[derive(Debug)]
pub struct Setting {
    /// Name in the TOML file; the flag is `--name-with-hyphens`.
    pub name: &'static str,
    /// Environment variable.
    pub env: &'static str,
    /// Default, as text; empty means none.
    pub default: &'static str,
    /// Default of the demo profile, if it differs.
    pub demo: Option<&'static str>,
    /// Help text, in one line.
    pub help: &'static str,
}

const fn setting(
    name: &'static str,
    env: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        env,
        default,
        demo: None,
        help,
    }
}

const fn with_demo(mut setting: Setting, default: &'static str) -> Setting {
    setting.demo = Some(default);
    setting
}

/// All settings outside the `[policy]` table.
pub const SETTINGS: &[Setting] = &[
    setting(
        "profile",
        "HEALING_PROFILE",
        "default",
        "default | demo (all times shortened, for demonstrations)",
    ),
    setting(
        "app_url",
        "HEALING_APP_URL",
        "http://127.0.0.1:5000",
        "address of the app's own port, the front door",
    ),
    setting(
        "care_url",
        "HEALING_CARE_URL",
        "http://127.0.0.1:5002",
        "address of the app's care port",
    ),
    setting(
        "bind",
        "HEALING_BIND",
        "0.0.0.0:5001",
        "address that serves /healthz, /metrics and /status",
    ),
    with_demo(
        setting(
            "poll_interval",
            "HEALING_POLL_INTERVAL",
            "5s",
            "time between two polls of the app, from 100ms to 1m",
        ),
        "250ms",
    ),
    with_demo(
        setting(
            "probe_timeout",
            "HEALING_PROBE_TIMEOUT",
            "2s",
            "time limit of one probe",
        ),
        "1s",
    ),
    with_demo(
        setting(
            "heal_timeout",
            "HEALING_HEAL_TIMEOUT",
            "30s",
            "time limit of a soft heal, all hooks together",
        ),
        "10s",
    ),
    with_demo(
        setting(
            "drain_settle",
            "HEALING_DRAIN_SETTLE",
            "2s",
            "time that a drained app still accepts requests before a hard heal, so that load balancers notice",
        ),
        "200ms",
    ),
    with_demo(
        setting(
            "drain_timeout",
            "HEALING_DRAIN_TIMEOUT",
            "10s",
            "time limit for in-flight requests to finish before a hard heal",
        ),
        "2s",
    ),
    setting(
        "mode",
        "HEALING_MODE",
        "observe",
        "observe (report decisions only) | enforce (carry them out)",
    ),
    setting(
        "restart",
        "HEALING_RESTART",
        "exit",
        "restart of the app by a hard heal: exit (the sidecar exits 88) | liveness (the app's liveness probe fails)",
    ),
    setting(
        "state_dir",
        "HEALING_STATE_DIR",
        "/var/lib/healing",
        "directory of the persistent budget, intent and journal",
    ),
    setting(
        "model",
        "HEALING_MODEL",
        "",
        "model file that replaces the built-in model",
    ),
    setting(
        "rules",
        "HEALING_RULES",
        "default",
        "default | original (the original system's literal rules)",
    ),
    setting(
        "token_file",
        "HEALING_TOKEN_FILE",
        "",
        "file with the token for the app's POST /heal",
    ),
    setting("log_format", "HEALING_LOG_FORMAT", "json", "json | text"),
];
