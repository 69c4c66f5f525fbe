//! The story from its first line to the table.

use std::process::ExitCode;

use healing_core::config::PolicyConfig;
use healing_sidecar::config::SETTINGS;

use super::args::Args;
use super::case::Case;
use super::ports::Ports;
use super::report::{self, Step};
use super::stage::Stage;
use super::stay::stay;
use super::steps::{dependency_outage, healthy, poisoned_cache, simulate_error, wedge};
use super::story::Story;

const STEPS: usize = 5;
/// Lines of the children's output that are shown when something went wrong.
const SHOWN: usize = 30;

/// Plays it. Success only if every step went as told.
pub async fn play(args: Args) -> ExitCode {
    let story = Story::begin();
    let ports = match Ports::from_base(args.port_base) {
        Ok(ports) => ports,
        Err(message) => return refuse(&message),
    };
    let mut stage = match std::env::current_exe().and_then(|exe| Stage::set(exe, ports)) {
        Ok(stage) => stage,
        Err(error) => return refuse(&error.to_string()),
    };
    let code = tokio::select! {
        code = tell(&args, &story, &mut stage) => code,
        _ = tokio::signal::ctrl_c() => {
            story.say("interrupted");
            ExitCode::from(130)
        }
    };
    stage.clear().await;
    code
}

async fn tell(args: &Args, story: &Story, stage: &mut Stage) -> ExitCode {
    introduce(story, &stage.ports);
    if let Err(error) = started(story, stage).await {
        story.wrong(&error);
        show_output(story, stage);
        return ExitCode::FAILURE;
    }
    let steps = steps(story, stage).await;
    story.say(&format!("\n{}", report::table(&steps)));
    let all = steps.len() == STEPS && steps.iter().all(|step| step.ok);
    if let Some(path) = &args.json {
        match report::write_json(path, &steps) {
            Ok(()) => story.say(&format!("written to {}", path.display())),
            Err(error) => return refuse(&format!("--json {}: {error}", path.display())),
        }
    }
    if !all {
        story.wrong("the story did not go as told");
        show_output(story, stage);
    } else if args.stay {
        stay(story, stage).await;
    } else {
        story.say(
            "All as told. `cargo demo --stay` keeps everything running, to try things by hand.",
        );
    }
    if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn introduce(story: &Story, ports: &Ports) {
    let Ports {
        app,
        sidecar,
        care,
        dependency,
    } = ports;
    story.say("A real axum app with the healing layer, and the sidecar beside it in a local pod.");
    story.say(&format!(
        "  app http://127.0.0.1:{app} · sidecar http://127.0.0.1:{sidecar} · care port {care} · \
         dependency {dependency}"
    ));
    let demo = PolicyConfig::demo();
    let (evidence, permission) = (&demo.evidence, &demo.permission);
    let (polls, in_service) = poll_intervals();
    story.say(&format!(
        "  demo profile, everything shortened: polls every {polls} ({in_service} in service), windows \
         {:?} and {:?},\n  soft heal at {} of {} polls, hard heal after {:?} of hanging, cooldown {:?} \
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

/// The demo profile's and the default one, as the sidecar's own table has them.
fn poll_intervals() -> (&'static str, &'static str) {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.name == "poll_interval");
    setting.map_or(("", ""), |setting| {
        (setting.demo.unwrap_or(setting.default), setting.default)
    })
}

async fn started(story: &Story, stage: &Stage) -> Result<(), String> {
    stage.up().await?;
    story.tell(&format!(
        "app (process {}) and sidecar are up",
        stage.app_pid().unwrap_or(0)
    ));
    Ok(())
}

/// One after the other, up to the first that does not go as told: what follows would be judged on
/// a patient of unknown health.
async fn steps(story: &Story, stage: &mut Stage) -> Vec<Step> {
    let mut steps = Vec::with_capacity(STEPS);
    macro_rules! step {
        ($number:literal, $step:ident, $title:literal) => {
            story.step($number, STEPS, $title);
            let mut case = Case::begin(stage, story, $step::TOLD);
            let went = $step::play(&mut case).await;
            let step = case.conclude(went);
            let ok = step.ok;
            steps.push(step);
            if !ok {
                return steps;
            }
        };
    }
    step!(1, healthy, "A healthy app under load");
    step!(2, poisoned_cache, "A poisoned cache: healed softly");
    step!(
        3,
        simulate_error,
        "Six errors with nothing else going on: healed softly"
    );
    step!(
        4,
        wedge,
        "A wedged runtime: healed hard, by the sidecar's exit 88"
    );
    step!(
        5,
        dependency_outage,
        "The dependency is down: nothing is restarted"
    );
    steps
}

fn show_output(story: &Story, stage: &Stage) {
    story.say("\nThe last that app, sidecar and pod had to say:");
    for line in stage.logs.last(SHOWN) {
        story.say(&format!("  {line}"));
    }
}

fn refuse(message: &str) -> ExitCode {
    eprintln!("cargo demo: {message}");
    ExitCode::FAILURE
}
