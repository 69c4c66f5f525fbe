//! Structured logs on stdout: JSON for machines, text for people.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Begin to log. `HEALING_LOG` chooses what, as in `debug` or `healing_sidecar=debug`.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_env("HEALING_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // It would report a log that nobody reads on stderr, and panic if nobody reads that either.
        .log_internal_errors(false)
        .with_writer(std::io::stdout);
    // Fails only if a logger is set already, as where a test runs several doctors.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
}
