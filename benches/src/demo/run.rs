//! Run of the demo, from its first line to the table.

use std::process::ExitCode;

use healing_core::config::PolicyConfig;
use healing_sidecar::config::SETTINGS;

use super::args::Args;
use super::keep_running::keep_running;
use super::ports::Ports;
use super::report::{self, ScenarioResult};
use super::reporter::Reporter;
use super::scenario_run::ScenarioRun;
use super::scenarios::{dependency_outage, healthy, poisoned_cache, simulate_error, wedge};
use super::testbed::Testbed;
use super::wait::WaitTimeout;

const SCENARIOS: usize = 5;
/// Number of lines of the children's output that are shown after a failure.
const SHOWN_LINES: usize = 30;

/// Runs the demo. It succeeds only if the result of every scenario is as expected.
pub async fn run(args: Args) -> ExitCode {
    let reporter = Reporter::start();
    let ports = match Ports::from_base(args.port_base) {
        Ok(ports) => ports,
        Err(error) => return fail(&error.to_string()),
    };
    let mut testbed = match std::env::current_exe().and_then(|exe| Testbed::start(exe, ports)) {
        Ok(testbed) => testbed,
        Err(error) => return fail(&error.to_string()),
    };
    let code = tokio::select! {
        code = run_all(&args, &reporter, &mut testbed) => code,
        _ = tokio::signal::ctrl_c() => {
            reporter.line("interrupted");
            ExitCode::from(130)
        }
    };
    testbed.shutdown().await;
    code
}

async fn run_all(args: &Args, reporter: &Reporter, testbed: &mut Testbed) -> ExitCode {
    introduce(reporter, &testbed.ports);
    if let Err(error) = wait_until_ready(reporter, testbed).await {
        reporter.failure(&error.to_string());
        show_output(reporter, testbed);
        return ExitCode::FAILURE;
    }
    let results = run_scenarios(reporter, testbed).await;
    reporter.line(&format!("\n{}", report::table(&results)));
    let all = results.len() == SCENARIOS && results.iter().all(|result| result.ok);
    if let Some(path) = &args.json {
        match report::write_json(path, &results) {
            Ok(()) => reporter.line(&format!("written to {}", path.display())),
            Err(error) => return fail(&format!("--json {}: {error}", path.display())),
        }
    }
    if !all {
        reporter.failure("the result is not as expected");
        show_output(reporter, testbed);
    } else if args.stay {
        keep_running(reporter, testbed).await;
    } else {
        reporter.line(
            "All as expected. `cargo demo --stay` keeps app and sidecar running for your own experiments.",
        );
    }
    if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn introduce(reporter: &Reporter, ports: &Ports) {
    let Ports {
        app,
        sidecar,
        care,
        dependency,
    } = ports;
    reporter.line("A real axum app with the healing layer, and its sidecar, in a local pod.");
    reporter.line(&format!(
        "  app http://127.0.0.1:{app} · sidecar http://127.0.0.1:{sidecar} · care port {care} · \
         dependency {dependency}"
    ));
    let demo = PolicyConfig::demo();
    let (evidence, permission) = (&demo.evidence, &demo.permission);
    let (interval, default_interval) = poll_intervals();
    reporter.line(&format!(
        "  demo profile, shortened: a poll every {interval} (default {default_interval}), windows of {:?} \
         and {:?},\n  soft heal at {} of {} polls, hard heal after a stall of {:?}, cooldown {:?} \
         soft and {:?} hard, probation {:?}",
        demo.fast_window,
        demo.slow_window,
        evidence.soft_polls,
        evidence.soft_window_polls,
        evidence.hang_timeout,
        permission.soft_cooldown,
        permission.hard_cooldown,
        demo.outcome.probation,
    ));
}

/// Returns the poll intervals of the demo profile and of the default profile, from the sidecar's settings.
fn poll_intervals() -> (&'static str, &'static str) {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.name == "poll_interval");
    setting.map_or(("", ""), |setting| {
        (setting.demo.unwrap_or(setting.default), setting.default)
    })
}

async fn wait_until_ready(reporter: &Reporter, testbed: &Testbed) -> Result<(), WaitTimeout> {
    testbed.wait_until_ready().await?;
    reporter.event(&format!(
        "app (process {}) and sidecar are ready",
        testbed.app_pid().unwrap_or(0)
    ));
    Ok(())
}

/// Runs the scenarios in order, up to the first with an unexpected result, after which the state of the app
/// is unknown.
async fn run_scenarios(reporter: &Reporter, testbed: &mut Testbed) -> Vec<ScenarioResult> {
    let mut results = Vec::with_capacity(SCENARIOS);
    macro_rules! scenario {
        ($number:literal, $scenario:ident, $title:literal) => {
            reporter.heading($number, SCENARIOS, $title);
            let mut run = ScenarioRun::start(testbed, reporter, $scenario::EXPECTED);
            let result = $scenario::run(&mut run).await;
            let result = run.finish(result).await;
            let ok = result.ok;
            results.push(result);
            if !ok {
                return results;
            }
        };
    }
    scenario!(1, healthy, "A healthy app under load");
    scenario!(2, poisoned_cache, "A poisoned cache: healed softly");
    scenario!(
        3,
        simulate_error,
        "Six errors without other traffic: healed softly"
    );
    scenario!(
        4,
        wedge,
        "A stalled runtime: healed hard, by the sidecar's exit 88"
    );
    scenario!(
        5,
        dependency_outage,
        "The dependency is down: nothing is restarted"
    );
    results
}

fn show_output(reporter: &Reporter, testbed: &Testbed) {
    reporter.line("\nLast output of app, sidecar and pod:");
    for line in testbed.logs.last(SHOWN_LINES) {
        reporter.line(&format!("  {line}"));
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("cargo demo: {message}");
    ExitCode::FAILURE
}
