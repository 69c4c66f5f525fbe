//! Metrics of the doctor. Names and labels are fixed, because alerts and dashboards depend on them.

use std::time::Duration;

use healing_core::decision::Abstention;
use healing_core::impairment::Assessment;
use healing_core::observation::PortSockets;
use prometheus::core::Collector;
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Bounds of the poll duration, from a poll on the same machine to one that timed out, in seconds.
const POLL_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Bounds of the recovery time, from a dropped cache to a restart on a busy node, in seconds.
const RECOVERY_BUCKETS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0,
];

/// All metrics of the sidecar.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) decisions: IntCounterVec,
    pub(crate) heals: IntCounterVec,
    pub(crate) vetoes: IntCounterVec,
    pub(crate) recovery: HistogramVec,
    pub(crate) poll_duration: Histogram,
    pub(crate) polls: IntCounterVec,
    pub(crate) probability: GaugeVec,
    pub(crate) model_votes: IntCounter,
    pub(crate) model_abstained: IntCounterVec,
    pub(crate) model_clamped: IntCounterVec,
    pub(crate) model_absent: IntCounterVec,
    pub(crate) feature: GaugeVec,
    pub(crate) budget: IntGauge,
    pub(crate) paused: IntGauge,
    pub(crate) mode: IntGaugeVec,
    pub(crate) config_invalid: IntGauge,
    pub(crate) model_info: IntGaugeVec,
    pub(crate) loop_panics: IntCounter,
    pub(crate) watchdog_restarts: IntCounter,
    pub(crate) state_writable: IntGauge,
    pub(crate) journal_errors: IntCounter,
    sockets_readable: IntGauge,
    accept_backlog: IntGaugeVec,
    connections: IntGaugeVec,
    unread_sockets: IntGaugeVec,
    unread_bytes: IntGaugeVec,
    impairment: GaugeVec,
    goodput: GaugeVec,
    demand: GaugeVec,
    proven_capacity: GaugeVec,
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let r = &registry;
        let build = int_gauges(
            r,
            "healing_build_info",
            "Always 1; the version is in the label",
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let model_abstained = counters(
            r,
            "healing_model_abstained_total",
            "Polls in which the model could not vote, so that the rules decided, by reason",
            &["reason"],
        )?;
        for reason in Abstention::ALL {
            // A counter that begins with its first event hides this event from rate().
            model_abstained.with_label_values(&[reason.as_str()]);
        }
        Ok(Self {
            decisions: counters(
                r,
                "healing_decisions_total",
                "Decisions, by proposed action and verdict",
                &["action", "verdict"],
            )?,
            heals: counters(
                r,
                "healing_heals_total",
                "Treatments, by kind and outcome",
                &["kind", "outcome"],
            )?,
            vetoes: counters(
                r,
                "healing_vetoes_total",
                "Vetoes of proposed actions, by reason; one decision may have several",
                &["reason"],
            )?,
            recovery: register(
                r,
                HistogramVec::new(
                    HistogramOpts::new(
                        "healing_recovery_seconds",
                        "Time from a treatment until the app is healthy again",
                    )
                    .buckets(RECOVERY_BUCKETS.to_vec()),
                    &["kind"],
                )?,
            )?,
            poll_duration: register(
                r,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "healing_poll_duration_seconds",
                        "Duration of one poll: name resolution, care port, front door and sockets",
                    )
                    .buckets(POLL_BUCKETS.to_vec()),
                )?,
            )?,
            polls: counters(
                r,
                "healing_polls_total",
                "Polls of the app, by result; late means that the doctor itself was slow",
                &["result"],
            )?,
            probability: gauges(
                r,
                "healing_model_probability",
                "Probability that the model gave each action at the last decision",
                &["action"],
            )?,
            model_votes: register(
                r,
                IntCounter::new(
                    "healing_model_votes_total",
                    "Polls in which the model voted",
                )?,
            )?,
            model_abstained,
            model_clamped: counters(
                r,
                "healing_model_clamped_total",
                "Polls with a value outside the range that the model was trained on, by feature",
                &["feature"],
            )?,
            model_absent: counters(
                r,
                "healing_model_absent_total",
                "Polls without a value of a feature that the model needs; a vote is based on its neutral value",
                &["feature"],
            )?,
            feature: gauges(
                r,
                "healing_feature",
                "Features at the last decision; an absent one has no series",
                &["name"],
            )?,
            budget: int_gauge(
                r,
                "healing_restart_budget_remaining",
                "Hard heals left in the current period",
            )?,
            paused: int_gauge(
                r,
                "healing_paused",
                "1 while an operator has paused healing",
            )?,
            mode: int_gauges(r, "healing_mode", "1 for the current mode", &["mode"])?,
            config_invalid: int_gauge(
                r,
                "healing_config_invalid",
                "1 if the configuration is invalid and healing therefore only observes",
            )?,
            model_info: int_gauges(
                r,
                "healing_model_info",
                "Always 1; the labels name the model or the rules that decide",
                &["source", "name"],
            )?,
            loop_panics: register(
                r,
                IntCounter::new(
                    "healing_loop_panics_total",
                    "Panics of the control loop, each followed by a restart of the loop",
                )?,
            )?,
            watchdog_restarts: register(
                r,
                IntCounter::new(
                    "healing_watchdog_restarts_total",
                    "Re-executions of the doctor by its watchdog because the control loop was blocked",
                )?,
            )?,
            state_writable: int_gauge(
                r,
                "healing_state_writable",
                "0 while the state directory is not writable and therefore no restart is allowed",
            )?,
            journal_errors: register(
                r,
                IntCounter::new(
                    "healing_journal_errors_total",
                    "Journal entries that could not be written",
                )?,
            )?,
            sockets_readable: int_gauge(
                r,
                "healing_sockets_readable",
                "1 if the sockets of the app's port can be read; else their figures have no series",
            )?,
            accept_backlog: int_gauges(
                r,
                "healing_app_accept_backlog",
                "Connections that the app has not accepted",
                &[],
            )?,
            connections: int_gauges(
                r,
                "healing_app_connections",
                "Established connections of the app's port",
                &[],
            )?,
            unread_sockets: int_gauges(
                r,
                "healing_app_unread_sockets",
                "Connections with bytes that the app has not read, those of clients that have left included",
                &[],
            )?,
            unread_bytes: int_gauges(
                r,
                "healing_app_unread_bytes",
                "Bytes that the app has not read",
                &[],
            )?,
            impairment: gauges(
                r,
                "healing_impairment_ratio",
                "Share of the demand that is not met, from 0 to 1: a lower bound of what clients feel; no series while unknown",
                &[],
            )?,
            goodput: gauges(
                r,
                "healing_app_goodput_requests_per_second",
                "Response heads without an error; no series while unknown",
                &[],
            )?,
            demand: gauges(
                r,
                "healing_app_demand_requests_per_second",
                "Requests that are asked of the app and that it has proved it can serve; no series while unknown",
                &[],
            )?,
            proven_capacity: gauges(
                r,
                "healing_app_proven_capacity_requests_per_second",
                "Highest sustained goodput of the app so far; no series while unknown",
                &[],
            )?,
            registry,
        })
    }

    /// Returns all metrics in Prometheus' text format.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(8192);
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "cannot encode the metrics");
        }
        text
    }

    /// Sets the gauge of this mode to 1, the others to 0.
    pub(crate) fn set_mode(&self, mode: &str) {
        for name in ["observe", "enforce"] {
            self.mode
                .with_label_values(&[name])
                .set(i64::from(name == mode));
        }
    }

    /// Sets the figures of the app's sockets. Absent ones have no series.
    pub(crate) fn set_sockets(&self, sockets: Option<&PortSockets>) {
        self.sockets_readable.set(i64::from(sockets.is_some()));
        for (gauge, value) in [
            (&self.accept_backlog, sockets.map(|s| s.backlog)),
            (&self.connections, sockets.map(|s| s.established)),
            (&self.unread_sockets, sockets.map(|s| s.unread)),
            (&self.unread_bytes, sockets.map(|s| s.unread_bytes)),
        ] {
            gauge.reset();
            if let Some(value) = value {
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                gauge.with_label_values::<&str>(&[]).set(value);
            }
        }
    }

    /// Sets the figures of the impairment. Absent ones have no series.
    pub(crate) fn set_impairment(&self, impairment: Option<&Assessment>) {
        for (gauge, value) in [
            (&self.impairment, impairment.and_then(|i| i.ratio)),
            (&self.goodput, impairment.and_then(|i| i.goodput)),
            (&self.demand, impairment.and_then(|i| i.demand)),
            (
                &self.proven_capacity,
                impairment.and_then(|i| i.proven_capacity),
            ),
        ] {
            gauge.reset();
            if let Some(value) = value {
                gauge.with_label_values::<&str>(&[]).set(value);
            }
        }
    }

    pub(crate) fn observe_recovery(&self, kind: &str, took: Duration) {
        self.recovery
            .with_label_values(&[kind])
            .observe(took.as_secs_f64());
    }
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntCounterVec> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<GaugeVec> {
    register(registry, GaugeVec::new(Opts::new(name, help), labels)?)
}

fn int_gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntGaugeVec> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn int_gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntGauge> {
    register(registry, IntGauge::new(name, help)?)
}
