//! Structured logs on stdout, as JSON or text.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Sets up logging. `HEALING_LOG` filters it, for example `debug` or `healing_sidecar=debug`.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_env("HEALING_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // If enabled, it reports a closed stdout on stderr, and panics if stderr is closed too.
        .log_internal_errors(false)
        .with_writer(std::io::stdout);
    // Fails only if a logger is already set, for example when a test runs several doctors.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
}
