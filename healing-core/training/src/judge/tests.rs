//! Tests of the judge as an instrument: it shows bad deciders as bad, and the frozen deciders decide as
//! recorded.

use super::deciders::DeciderName;
use super::run::{Plan, Store};
use super::summary::{DeciderSummary, Judgement, PopulationSummary, summarise};
use super::testing::{FakePopulation, Fault, actions, stream};
use crate::episode::Population;
use crate::episode::populations::InKind;
use healing_core::decision::Action;

fn populations() -> Vec<Box<dyn Population>> {
    vec![
        Box::new(InKind),
        Box::new(FakePopulation(Fault::None)),
        Box::new(FakePopulation(Fault::Busy)),
        Box::new(FakePopulation(Fault::Hung)),
        Box::new(FakePopulation(Fault::Poisoned)),
    ]
}

fn judge(population: &str, episodes: u32, deciders: &[DeciderName]) -> PopulationSummary {
    let plan = Plan {
        populations: vec![population.to_owned()],
        deciders: deciders.to_vec(),
        episodes,
        seed: 11,
    };
    let records = plan.run(&populations, Store::default(), &|_, _| ());
    summarise(&records.unwrap()).remove(0)
}

fn of(summary: &PopulationSummary, decider: DeciderName) -> &DeciderSummary {
    let is_it = |found: &&DeciderSummary| found.decider == decider.as_str();
    summary.deciders.iter().find(is_it).unwrap()
}

fn judgement(summary: &PopulationSummary, decider: DeciderName) -> Judgement {
    let difference = of(summary, decider).difference;
    Judgement::of(&difference.unwrap())
}

use DeciderName::{Blind, Cpu80, Nothing, Rules0};

#[test]
fn harmful_control_is_worse_on_busy_apps_and_restarts_them() {
    let busy = judge("busy", 20, &[Rules0, Cpu80, Blind]);
    assert_eq!(judgement(&busy, Cpu80), Judgement::Worse);
    assert!(of(&busy, Cpu80).restarts_per_1000h.unwrap().lower > 1000.0);
    assert_eq!(of(&busy, Cpu80).restarts.1, 0, "none helps");
    assert_eq!(of(&busy, Rules0).restarts, (0, 0));
    assert_eq!(judgement(&busy, Blind), Judgement::Equal);
}

#[test]
fn blind_control_is_worse_on_unhealthy_apps_and_recovers_none() {
    for population in ["hung", "poisoned"] {
        let unhealthy = judge(population, 20, &[Rules0, Blind, Nothing]);
        assert_eq!(
            judgement(&unhealthy, Blind),
            Judgement::Worse,
            "{population}"
        );
        assert_eq!(of(&unhealthy, Blind).recovered, 0);
        assert_eq!(of(&unhealthy, Blind).cost, of(&unhealthy, Nothing).cost);
        assert_eq!(of(&unhealthy, Rules0).recovered, 20, "{population}");
    }
}

#[test]
fn deciders_cost_nothing_on_healthy_apps() {
    let healthy = judge("none", 5, &DeciderName::ALL);
    for decider in &healthy.deciders {
        assert!(decider.cost.upper.abs() < 1e-9, "{decider:?}");
        assert_eq!(decider.restarts.0 + decider.soft_heals.0, 0);
    }
}

#[test]
fn controls_are_worse_on_simulated_incidents() {
    let incidents = judge("in_kind", 150, &[Rules0, Cpu80, Blind]);
    for control in [Cpu80, Blind] {
        let found = of(&incidents, control);
        assert_eq!(
            judgement(&incidents, control),
            Judgement::Worse,
            "{found:?}"
        );
    }
    let rate = |decider| of(&incidents, decider).restarts_per_1000h.unwrap();
    assert!(rate(Cpu80).lower > rate(Rules0).upper);
}

/// Returns the actions of a decider on all fake apps, as `fault: second action, …`.
fn log(decider: DeciderName) -> String {
    let faults = [Fault::Busy, Fault::Hung, Fault::Poisoned, Fault::Broken];
    let line = |fault| {
        let actions: Vec<_> = actions(decider, fault, 1800)
            .into_iter()
            .map(|(second, action)| match action {
                Action::ResetErrors => format!("{second} soft"),
                _ => format!("{second} hard"),
            })
            .collect();
        format!("{fault:?}: {}", actions.join(", "))
    };
    faults.map(line).join("; ")
}

/// Hash (FNV-1a) of the actions of a decider on 40 recorded streams, with the number of actions.
fn stream_hash(decider: DeciderName) -> (u64, usize) {
    let (mut hash, mut count) = (0xcbf2_9ce4_8422_2325_u64, 0);
    for seed in 0..40 {
        for (poll, action) in stream::run(seed, &mut *decider.build(seed)) {
            count += 1;
            for byte in format!("{seed} {poll} {action};").bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
    }
    (hash, count)
}

#[test]
fn frozen_deciders_decide_as_recorded() {
    use DeciderName::{Forest0, Trend0};
    let short = "Busy: ; Hung: 70 hard; Poisoned: 70 soft; Broken: 70 soft, 110 soft, 165 hard";
    let trend = "Busy: 60 hard, 490 hard, 920 hard; Hung: 60 hard; Poisoned: 65 soft; \
                 Broken: 65 soft, 465 soft, 865 soft, 1265 soft, 1665 soft";
    for (decider, actions, streams) in [
        (Rules0, short, (0x623b_89f8_b96e_6bd2, 229)),
        (Trend0, trend, (0x599d_efe1_712e_0d43, 213)),
        (Forest0, short, (0x4b05_e0e6_0fb6_fb1c, 226)),
    ] {
        let name = decider.as_str();
        assert_eq!(log(decider), actions, "{name}");
        assert_eq!(stream_hash(decider), streams, "{name}");
    }
}
