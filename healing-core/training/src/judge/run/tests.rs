use super::*;
use crate::judge::testing::{FakePopulation, Fault};

fn populations() -> Vec<Box<dyn Population>> {
    vec![
        Box::new(FakePopulation(Fault::Hung)),
        Box::new(FakePopulation(Fault::Poisoned)),
    ]
}

fn plan(episodes: u32) -> Plan {
    Plan {
        populations: vec!["poisoned".to_owned(), "hung".to_owned()],
        deciders: vec![DeciderName::Rules0, DeciderName::Liveness],
        episodes,
        seed: 3,
    }
}

fn run(plan: &Plan) -> Vec<EpisodeRecord> {
    plan.run(&populations, Store::default(), &|_, _| ())
        .unwrap()
}

#[test]
fn records_are_in_order_and_reproducible() {
    let records = run(&plan(5));
    assert_eq!(records.len(), 20);
    let first = &records[0].key;
    assert_eq!(
        (&*first.population, &*first.decider),
        ("poisoned", "rules_0")
    );
    assert_eq!(records[1].key.decider, "liveness");
    assert_eq!(records[1].key.seed, first.seed, "common random numbers");
    assert_eq!(records[10].key.population, "hung");
    assert_eq!(records, run(&plan(5)));
    assert_ne!(records, run(&Plan { seed: 4, ..plan(5) }));
}

#[test]
fn episode_depends_on_seed_and_index_alone() {
    let (few, many) = (run(&plan(2)), run(&plan(5)));
    assert_eq!(few[..4], many[..4]);
    let alone = Plan {
        deciders: vec![DeciderName::Liveness],
        populations: vec!["hung".to_owned()],
        ..plan(5)
    };
    assert_eq!(run(&alone)[3], many[17]);
}

#[test]
fn resumed_run_runs_only_missing_episodes_and_gives_the_same_records() {
    let path = std::env::temp_dir().join(format!("healing-judge-resume-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let resume = |plan: &Plan| {
        let (file, records) = ResultsFile::open(&path, "test").unwrap();
        let found = records.len();
        let records = plan
            .run(&populations, Store::resume(file, records), &|_, _| ())
            .unwrap();
        (found, records)
    };
    assert_eq!(resume(&plan(2)), (0, run(&plan(2))));
    assert_eq!(resume(&plan(5)), (8, run(&plan(5))));
    assert_eq!(resume(&plan(5)), (20, run(&plan(5))));
    assert_eq!(ResultsFile::open(&path, "test").unwrap().1.len(), 20);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn finished_episode_is_read_and_not_run_again() {
    let path = std::env::temp_dir().join(format!("healing-judge-known-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut known = run(&plan(1))[0].clone();
    known.failed = 12_345;
    let (mut file, _) = ResultsFile::open(&path, "test").unwrap();
    file.append(&[known.clone()]).unwrap();
    let store = Store::resume(file, vec![known.clone()]);
    let records = plan(1).run(&populations, store, &|_, _| ()).unwrap();
    assert_eq!(records[0], known);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn progress_reaches_all_episodes() {
    let last = Mutex::new((0, 0));
    let progress = |done, all| {
        let mut last = last.lock().unwrap();
        *last = (done, all).max(*last);
    };
    plan(3)
        .run(&populations, Store::default(), &progress)
        .unwrap();
    assert_eq!(*last.lock().unwrap(), (6, 6));
}

#[test]
fn unknown_population_is_an_error() {
    let plan = Plan {
        populations: vec!["martian".to_owned()],
        ..plan(1)
    };
    let error = plan
        .run(&populations, Store::default(), &|_, _| ())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no population martian: known are hung, poisoned"
    );
}
