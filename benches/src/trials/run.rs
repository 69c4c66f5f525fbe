//! The command: chooses the cases, runs them one after the other, and reports.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use super::args::{Args, Selection};
use super::cases::{CASES, Case, Group};
use super::judge::{Judgement, Observed, judge};
use super::process::{failed, guard, interrupted, raise_descriptor_limit};
use super::programs::Programs;
use super::row::{Row, Run, Totals, table};
use super::testbed::{Bed, Failed, Spec, Surroundings, sweep};
use super::{progress, stub};
use crate::load::Client;

/// Decisions of the doctor that are kept of a run.
const HEADLINES: usize = 12;
/// Delay of the generator from which its figures are not the app's.
const LAG: Duration = Duration::from_secs(2);
const INTERRUPTED: u8 = 130;

/// Runs the trials. Exit codes: 0 all cases ran (right or wrong), 1 the instrument failed, 2 wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = guard().or_else(stub::play) {
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
        eprintln!("cargo trials: no case of this name; see --list");
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
            // Dropping the run ends its processes and removes its cgroups.
            () = interrupted() => ExitCode::from(INTERRUPTED),
        }
    })
}

fn choose(args: &Args) -> Vec<&'static Case> {
    let wanted = |case: &&&Case| {
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

async fn run(args: &Args, mut cases: Vec<&'static Case>) -> ExitCode {
    sweep();
    let programs = match tokio::task::spawn_blocking(Programs::build).await {
        Ok(Ok(programs)) => programs,
        Ok(Err(problem)) => return failed(&problem),
        Err(error) => return failed(&error.to_string()),
    };
    let mut rows = match &args.json {
        Some(file) => progress::done(file, args.time_scale, args.decider),
        None => Vec::new(),
    };
    let first_only = args.first_transport || args.selection.is_some();
    let clients = |case: &Case| {
        let number = if first_only { 1 } else { case.clients.len() };
        case.clients.get(..number).unwrap_or_default()
    };
    let is_of =
        |row: &Row, case: &Case| row.case == case.name && row.runs.len() == clients(case).len();
    rows.retain(|row| cases.iter().any(|case| is_of(row, case)));
    cases.retain(|case| rows.iter().all(|row| row.case != case.name));
    for (index, case) in cases.iter().enumerate() {
        let rest = cases.get(index..).unwrap_or_default();
        let left = progress::time(rest, args.time_scale, first_only).as_secs();
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
                run.done(),
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

async fn run_once(args: &Args, programs: &Programs, case: &Case, client: Client) -> Run {
    let client = Client {
        patience: client.patience.div_f64(args.time_scale),
        ..client
    };
    let surroundings = Surroundings {
        programs: programs.clone(),
        scale: args.time_scale,
        decider: args.decider,
        client,
    };
    let mut run = Run {
        transport: client.transport.as_str().to_owned(),
        patience_ms: u64::try_from(client.patience.as_millis()).unwrap_or(u64::MAX),
        capacity_per_second: 0.0,
        generator_lag_ms: 0,
        observed: Observed::default(),
        judgement: Judgement::default(),
        decisions: Vec::new(),
        instrument_failed: false,
    };
    let problem = match observe(args, case, surroundings, &mut run).await {
        Ok(()) => {
            run.judgement = judge(&case.expected, &run.observed);
            return run;
        }
        Err(problem) => problem,
    };
    run.instrument_failed = matches!(problem, Failed::Instrument(_));
    run.judgement.wrong = vec![problem.to_string()];
    run
}

async fn observe(
    args: &Args,
    case: &Case,
    surroundings: Surroundings,
    run: &mut Run,
) -> Result<(), Failed> {
    let mut spec = Spec::default();
    (case.setup)(&mut spec, args.time_scale);
    let mut bed = Bed::start(surroundings, spec).await?;
    let played = (case.play)(&mut bed).await;
    run.observed = bed.observe();
    run.decisions = bed.headlines(HEADLINES);
    run.capacity_per_second = bed.capacity;
    let (client_failures, lag) = bed.generator();
    run.generator_lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
    bed.stop().await;
    if let Some(directory) = &args.keep {
        bed.keep(&directory.join(case.name).join(&run.transport))?;
    }
    played?;
    if client_failures > 0 {
        let problem = format!("the generator could not send {client_failures} requests");
        return Err(Failed::Instrument(problem));
    }
    if lag > LAG {
        eprintln!("    the generator itself was up to {lag:.1?} late: this machine is busy");
    }
    Ok(())
}
