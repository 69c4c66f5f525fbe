//! The command `cargo trials`, which runs the chosen cases one after the other and prints the results.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use super::args::{Args, Selection};
use super::cases::{CASES, Group, TrialCase};
use super::judge::{Judgement, Observed, judge};
use super::process::{failed, guard, interrupted, raise_descriptor_limit};
use super::programs::Programs;
use super::row::{Row, Run, Totals, table};
use super::testbed::{Bed, RunContext, RunError, Spec, copy_traces, observed};
use super::{progress, stub};
use crate::cgroup;
use crate::load::Client;

/// Number of the doctor's last decisions in the result of a run.
const HEADLINES: usize = 12;
/// Delay of the generator above which its figures do not describe the app.
const LAG: Duration = Duration::from_secs(2);
/// Exit code after SIGINT or SIGTERM.
const INTERRUPTED: u8 = 130;

/// Runs the trials. The exit code is 0 if all cases ran (right or wrong), 1 if the instrument failed, and 2
/// after wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = guard().or_else(stub::run) {
        return code;
    }
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let chosen = choose(&args);
    if args.list {
        for case in &chosen {
            println!(
                "{}: {} Right: {}, because {}.",
                case.name, case.what, case.expected, case.expected.why
            );
        }
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("cargo trials: no case has this name; --list prints the names");
        return ExitCode::from(2);
    }
    raise_descriptor_limit();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    runtime.block_on(async {
        tokio::select! {
            code = run(&args, chosen) => code,
            // Dropping the run kills its processes and removes its cgroups.
            () = interrupted() => ExitCode::from(INTERRUPTED),
        }
    })
}

/// Returns the cases that the command line selects.
fn choose(args: &Args) -> Vec<&'static TrialCase> {
    let wanted = |case: &&&TrialCase| {
        let group = if args.soak {
            case.group == Group::Soak
        } else if args.selection == Some(Selection::Ci) {
            case.group == Group::Ci
        } else {
            case.group != Group::Soak
        };
        let named = args.only.is_empty() || args.only.iter().any(|name| case.name.contains(name));
        group && named
    };
    CASES.iter().filter(wanted).copied().collect()
}

/// Runs the cases that the results file does not contain, and prints the table.
async fn run(args: &Args, mut cases: Vec<&'static TrialCase>) -> ExitCode {
    cgroup::sweep();
    let programs = match tokio::task::spawn_blocking(Programs::build).await {
        Ok(Ok(programs)) => programs,
        Ok(Err(error)) => return failed(&error.to_string()),
        Err(error) => return failed(&error.to_string()),
    };
    let mut rows = match &args.json {
        Some(file) => progress::completed(file, args.time_scale, args.decider),
        None => Vec::new(),
    };
    let first_only = args.first_transport || args.selection.is_some();
    let clients = |case: &TrialCase| {
        let number = if first_only { 1 } else { case.clients.len() };
        case.clients.get(..number).unwrap_or_default()
    };
    let is_of = |row: &Row, case: &TrialCase| {
        row.case == case.name && row.runs.len() == clients(case).len()
    };
    rows.retain(|row| cases.iter().any(|case| is_of(row, case)));
    cases.retain(|case| rows.iter().all(|row| row.case != case.name));
    for (index, case) in cases.iter().enumerate() {
        let rest = cases.get(index..).unwrap_or_default();
        let left = progress::remaining(rest, args.time_scale, first_only).as_secs();
        eprintln!(
            "[{}/{}] {} ({} min {} s left)",
            index + 1,
            cases.len(),
            case.name,
            left / 60,
            left % 60
        );
        let mut runs = Vec::new();
        for client in clients(case) {
            let run = run_once(args, &programs, case, *client).await;
            let verdict = if run.judgement.is_right() {
                "right"
            } else {
                "WRONG"
            };
            eprintln!(
                "  {}: {verdict}: {}; {}",
                run.transport,
                run.treatments(),
                run.observed.requests
            );
            for wrong in &run.judgement.wrong {
                eprintln!("    {wrong}");
            }
            runs.push(run);
        }
        let mut row = Row::new(case, args.time_scale, runs);
        row.decider = args.decider.map(|stub| stub.as_str().to_owned());
        if let Some(file) = &args.json
            && let Err(error) = progress::append(file, &row)
        {
            return failed(&format!("{}: {error}", file.display()));
        }
        rows.push(row);
    }
    println!("{}{}", table(&rows), Totals::of(&rows));
    if rows.iter().any(Row::instrument_failed) {
        return failed("the instrument failed in at least one run");
    }
    ExitCode::SUCCESS
}

/// Runs a case with one client, and judges it.
async fn run_once(args: &Args, programs: &Programs, case: &TrialCase, client: Client) -> Run {
    let client = Client {
        timeout: client.timeout.div_f64(args.time_scale),
        ..client
    };
    let context = RunContext {
        programs: programs.clone(),
        scale: args.time_scale,
        decider: args.decider,
        client,
    };
    let mut run = Run {
        transport: client.transport.as_str().to_owned(),
        patience_ms: u64::try_from(client.timeout.as_millis()).unwrap_or(u64::MAX),
        capacity_per_second: 0.0,
        generator_lag_ms: 0,
        observed: Observed::default(),
        judgement: Judgement::default(),
        decisions: Vec::new(),
        instrument_failed: false,
    };
    let problem = match observe(args, case, context, &mut run).await {
        Ok(()) => {
            run.judgement = judge(&case.expected, &run.observed);
            return run;
        }
        Err(problem) => problem,
    };
    run.instrument_failed = problem.is_of_instrument();
    run.judgement.wrong = vec![problem.to_string()];
    run
}

/// Runs a case with one client, and records the observations in `run`.
async fn observe(
    args: &Args,
    case: &TrialCase,
    context: RunContext,
    run: &mut Run,
) -> Result<(), RunError> {
    let mut spec = Spec::default();
    (case.setup)(&mut spec, args.time_scale);
    let mut bed = Bed::start(context, spec).await?;
    let result = (case.run)(&mut bed).await;
    run.observed = observed(
        &bed.observer,
        &bed.clients,
        bed.fault_at,
        bed.scale(),
        bed.problems.clone(),
    );
    run.decisions = bed.observer.headlines(HEADLINES);
    run.capacity_per_second = bed.capacity;
    let (client_failures, lag) = bed.clients.generator_failures();
    run.generator_lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
    bed.stop().await;
    if let Some(directory) = &args.keep {
        let to = directory.join(case.name).join(&run.transport);
        copy_traces(bed.directory(), bed.state_directory(), &to)?;
    }
    result?;
    if client_failures > 0 {
        return Err(RunError::Generator(client_failures));
    }
    if lag > LAG {
        eprintln!(
            "    the generator itself was up to {lag:.1?} late, because this machine is busy"
        );
    }
    Ok(())
}
