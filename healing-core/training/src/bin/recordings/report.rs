//! Tables of decisions and totals.

use healing_core::policy::Policy;
use healing_training::recordings::{
    Class, Detail, Phase, Recording, Replay, Run, class, default_policy, replay, score,
};

/// Reason codes of commit 8c11de9 that have changed since: old code, present code.
const RENAMED_REASONS: [(&str, &str); 2] = [
    ("runtime_late", "runtime_lag"),
    ("cpu_used_up", "cpu_saturated"),
];

/// Seed with which restarts are delayed as in the table of wanted decisions.
const TABLE_SEED: u64 = 1521;

/// Prints one row a run: the wanted decision, and that of each phase.
pub(crate) fn print_decisions(runs: &[Run], detail: Detail, policy: impl Fn(&Recording) -> Policy) {
    println!("times in seconds after the fault; ! false restart, ? missed, ~ false soft heal\n");
    print!("{:33} wanted", "run");
    for phase in Phase::ALL {
        print!("  {:20}", format!("phase {}", phase.second()));
    }
    println!();
    for run in runs {
        print!("{:33} {:6}", name(run), run.expected.wanted.to_string());
        for phase in Phase::ALL {
            let replay = replay(policy(&run.recording), &run.recording, phase, detail);
            let mark = match class(run.expected.wanted, &replay) {
                Class::Right => ' ',
                Class::FalseRestart => '!',
                Class::Missed => '?',
                Class::FalseSoftHeal => '~',
            };
            print!(" {mark}{:20}", times(&replay));
        }
        println!();
    }
    println!();
}

/// Prints the totals of each phase.
pub(crate) fn print_totals(
    runs: &[Run],
    detail: Detail,
    policy: impl Fn(&Recording) -> Policy + Copy,
) {
    println!("phase  runs  right  false restart  missed  false soft heal");
    let scores = Phase::ALL.map(|phase| (phase, score(runs, phase, detail, policy)));
    for (phase, score) in scores {
        println!(
            "{:5} {:5} {:6} {:14} {:7} {:16}",
            phase.second(),
            runs.len(),
            score.right,
            score.false_restarts,
            score.missed,
            score.false_soft_heals
        );
    }
    println!();
    for (phase, score) in scores {
        let phase = phase.second();
        println!("RESULT recordings_right_phase_{phase} {} runs", score.right);
        println!(
            "RESULT recordings_false_restarts_phase_{phase} {} runs",
            score.false_restarts
        );
        println!(
            "RESULT recordings_missed_phase_{phase} {} runs",
            score.missed
        );
    }
}

/// Prints the runs whose decision at phase 0 differs from that of commit 8c11de9.
pub(crate) fn print_differences(runs: &[Run], seed: Option<u64>) {
    let seed = seed.unwrap_or(TABLE_SEED);
    let mut same = 0;
    for run in runs {
        let replay = replay(
            default_policy(seed),
            &run.recording,
            Phase::ALL[0],
            Detail::Recorded,
        );
        // The table judges its decisions in brackets.
        let recorded = run.expected.policy_8c11de9.split(" (").next().unwrap_or("");
        let recorded = RENAMED_REASONS
            .iter()
            .fold(recorded.to_owned(), |text, (old, new)| {
                text.replace(old, new)
            });
        if recorded == replay.to_string() {
            same += 1;
            continue;
        }
        let class = class(run.expected.wanted, &replay);
        println!(
            "{:33} {}: {replay} ({class}); 8c11de9: {recorded}",
            name(run),
            run.expected.wanted
        );
    }
    println!("{same} of {} runs are decided as by 8c11de9", runs.len());
}

fn name(run: &Run) -> String {
    format!("{}/{}", run.recording.archive, run.recording.case.name)
}

/// Returns the times of the first soft heal and the first restart, without their reasons.
fn times(replay: &Replay) -> String {
    let soft = replay
        .first_soft_heal()
        .map(|soft| format!("soft{:+.0}", soft.seconds));
    let restart = replay
        .first_restart()
        .map(|restart| format!("restart{:+.0}", restart.seconds));
    match (soft, restart) {
        (None, None) => "-".to_owned(),
        (soft, restart) => [soft, restart]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    }
}
