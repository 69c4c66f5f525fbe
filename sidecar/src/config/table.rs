//! The table of settings: names, environment variables, defaults, meaning.

/// One setting, as it is called everywhere.
#[derive(Debug)]
pub struct Setting {
    /// In the TOML file; `--name-with-hyphens` as a flag.
    pub name: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// The default, as it would be written.
    pub default: &'static str,
    /// The default of the demo profile, where it differs.
    pub demo: Option<&'static str>,
    /// One line of help.
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

const fn demo(mut setting: Setting, value: &'static str) -> Setting {
    setting.demo = Some(value);
    setting
}

/// All settings outside the `[policy]` table. An empty default means "none".
pub const SETTINGS: &[Setting] = &[
    setting(
        "profile",
        "HEALING_PROFILE",
        "default",
        "default | demo (everything shortened, for demonstrations)",
    ),
    setting(
        "app_url",
        "HEALING_APP_URL",
        "http://127.0.0.1:5000",
        "the app's own port, the front door",
    ),
    setting(
        "care_url",
        "HEALING_CARE_URL",
        "http://127.0.0.1:5002",
        "the app's care port",
    ),
    setting(
        "bind",
        "HEALING_BIND",
        "0.0.0.0:5001",
        "where /healthz, /metrics and /status are served",
    ),
    demo(
        setting(
            "poll_interval",
            "HEALING_POLL_INTERVAL",
            "5s",
            "how often the app is looked at, from 100ms",
        ),
        "250ms",
    ),
    demo(
        setting(
            "probe_timeout",
            "HEALING_PROBE_TIMEOUT",
            "2s",
            "how long one probe may take",
        ),
        "1s",
    ),
    demo(
        setting(
            "heal_timeout",
            "HEALING_HEAL_TIMEOUT",
            "30s",
            "how long a soft heal may take, all hooks together",
        ),
        "10s",
    ),
    demo(
        setting(
            "drain_settle",
            "HEALING_DRAIN_SETTLE",
            "2s",
            "how long a drained app still accepts before a hard heal, so that load balancers notice",
        ),
        "200ms",
    ),
    demo(
        setting(
            "drain_timeout",
            "HEALING_DRAIN_TIMEOUT",
            "10s",
            "how long open requests may take to finish before a hard heal",
        ),
        "2s",
    ),
    setting(
        "mode",
        "HEALING_MODE",
        "observe",
        "observe (report what would be done) | enforce (do it)",
    ),
    setting(
        "restart",
        "HEALING_RESTART",
        "exit",
        "how a hard heal restarts the app: exit (the sidecar exits 88) | liveness (the app's own probe fails)",
    ),
    setting(
        "state_dir",
        "HEALING_STATE_DIR",
        "/var/lib/healing",
        "keeps budget, intent and journal over restarts",
    ),
    setting(
        "model",
        "HEALING_MODEL",
        "",
        "a model file instead of the built-in one",
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
        "holds the token that the app asks for on POST /heal",
    ),
    setting("log_format", "HEALING_LOG_FORMAT", "json", "json | text"),
];
