//! The healing policy without the sidecar: polls a scripted app and prints the decisions.

mod app;

use std::io::{self, Write};
use std::time::Duration;

use app::ScriptedApp;
use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::observation::Now;
use healing_core::policy::Proposer;
use healing_core::policy::{Policy, PolicyState};

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Duration of the script.
const END: Duration = Duration::from_secs(25 * 60);
/// Time of day at the start, since the Unix epoch. A real embedder reads its wall clock.
const WALL_CLOCK: Duration = Duration::from_secs(1_800_000_000);

fn main() -> io::Result<()> {
    run(&mut io::stdout().lock())
}

/// Runs the script, and writes each decision that differs from the previous one, with its explanation.
///
/// # Errors
///
/// Returns an error if writing fails.
fn run(out: &mut impl Write) -> io::Result<()> {
    let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, 42);
    let mut app = ScriptedApp::start();
    let mut time = Duration::ZERO;
    let mut previous = None;
    while time < END {
        time += POLL_INTERVAL; // a real embedder sleeps here
        app.advance(time);
        let now = Now {
            monotonic: time,
            wall: WALL_CLOCK + time,
        };
        let decision = policy.step(now, &app.observe());

        let seconds = time.as_secs();
        if let Some(concluded) = decision.concluded {
            writeln!(
                out,
                "{seconds:>5} s  {}: {}",
                concluded.action, concluded.outcome
            )?;
        }
        let headline = (decision.proposed, decision.verdict, decision.reason);
        if previous.replace(headline) != Some(headline) {
            writeln!(out, "{seconds:>5} s  {}", policy.explain(&decision))?;
        }

        let action = decision.action;
        let report = |result| TreatmentReport { action, result };
        match action {
            Action::NoAction => {}
            Action::ResetErrors => {
                app.reset_errors();
                policy.report_treatment(now, report(TreatmentResult::Done));
            }
            Action::RestartService => {
                // Reported and saved before it is carried out. If this process dies in between, the next one
                // knows that the budget is spent.
                policy.report_treatment(now, report(TreatmentResult::Started));
                save(policy.state());
                app.restart();
                policy.report_treatment(now, report(TreatmentResult::Done));
            }
        }
        save(policy.state());
    }
    Ok(())
}

/// Does nothing. A real embedder writes the state atomically to persistent storage.
fn save(_state: PolicyState) {}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn script_is_healed_softly_then_by_one_restart() {
        let mut log = Vec::new();
        run(&mut log).unwrap();
        let log = String::from_utf8(log).unwrap();
        let times = |text: &str| -> Vec<u64> {
            log.lines()
                .filter(|line| line.contains(text))
                .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
                .collect()
        };
        let [soft] = times("A soft heal is due")[..] else {
            panic!("{log}")
        };
        let [restart] = times("A restart is due")[..] else {
            panic!("{log}")
        };
        assert!((300..=360).contains(&soft), "{log}");
        assert!((900..=930).contains(&restart), "{log}");
        let recovered = [
            times("reset_errors: recovered").len(),
            times("restart_service: recovered").len(),
        ];
        assert_eq!(recovered, [1, 1], "{log}");
    }
}
