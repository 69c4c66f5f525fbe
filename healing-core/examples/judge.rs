//! Draws simulated situations, learns from some, judges on the others.
use healing_core::decision::Action;
use healing_core::features::Feature::{self, *};
use healing_core::training::baselines::trend_rule;
use healing_core::training::fit::Recipe;
use healing_core::training::judge::{Judgement, Learner, Table, folds, judge};
use healing_core::training::situations::{Situation, Window, windows};

const FEATURES: [Feature; 15] = [
    ErrorRatioFast,
    ErrorRatioSlow,
    PanicRatio,
    Uptime,
    CpuUsage,
    LoadRatio,
    MemoryUsage,
    MemorySlope,
    MemoryTimeToLimit,
    FdUsage,
    FdTimeToLimit,
    RuntimeLag,
    FailingDependencies,
    FailingLocals,
    SinceLastHeal,
];

fn main() {
    let seed: u64 = std::env::args().nth(1).map_or(1001, |s| s.parse().unwrap());
    let n: u32 = std::env::args().nth(2).map_or(60, |s| s.parse().unwrap());
    let t = std::time::Instant::now();
    let all = windows(&Situation::ALL, n, seed);
    println!("{} windows in {:?}", all.len(), t.elapsed());
    for s in Situation::ALL {
        let of: Vec<_> = all.iter().filter(|w| w.situation == s && w.begun).collect();
        let mut l = [0; 3];
        let mut tr = [[0; 3]; 3];
        for w in &of {
            l[w.label as usize] += 1;
            tr[w.label as usize][trend_rule(&w.features) as usize] += 1;
        }
        println!("{:20} labels {:?} trend {:?}", s.name(), l, tr);
    }
    let costs = [[0.0, 1.0, 10.0], [5.0, 0.0, 10.0], [20.0, 20.0, 0.0]];
    let (tr, te): (Vec<&Window>, Vec<&Window>) = all.iter().partition(|w| w.incident % 4 != 0);
    for (m, leaf, depth) in [
        (None, 5, 12),
        (Some(5), 5, 12),
        (Some(8), 5, 12),
        (Some(5), 3, 14),
    ] {
        let learner = Learner {
            features: &FEATURES,
            recipe: Recipe {
                trees: 100,
                min_leaf: leaf,
                max_depth: depth,
                features_per_split: m,
                ..Recipe::default()
            },
            costs,
        };
        let t = std::time::Instant::now();
        let j = judge(&tr, &te, &learner).unwrap();
        println!(
            "by incident {m:?} {leaf} {depth} ({:?}), log loss {:.4}\n{}",
            t.elapsed(),
            j.calibration.log_loss,
            Table(&j.scores)
        );
    }
    if std::env::args().nth(3).is_none() {
        return;
    }
    let learner = Learner {
        features: &FEATURES,
        recipe: Recipe {
            trees: 100,
            min_leaf: 5,
            max_depth: 12,
            ..Recipe::default()
        },
        costs,
    };
    let mut rounds = Vec::new();
    let hands = folds(&all, 6, seed);
    for hand in &hands {
        let (te, tr): (Vec<&Window>, Vec<&Window>) =
            all.iter().partition(|w| hand.contains(&w.situation));
        let j = judge(&tr, &te, &learner).unwrap();
        println!(
            "{:?} {:?}: trend {:.3} model {:.3} {:?}",
            t.elapsed(),
            hand,
            j.scores[4].mean_cost,
            j.scores[5].mean_cost,
            j.scores[5].confusion
        );
        rounds.push(j);
    }
    println!("{}", Table(&Judgement::sum(&rounds)));
    let _ = Action::ALL;
}
