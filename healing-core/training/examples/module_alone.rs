use healing_training::recordings::*;
use std::collections::BTreeMap;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let detail = if args.iter().any(|a| a == "--schema1") {
        Detail::SchemaOne
    } else {
        Detail::Recorded
    };
    let runs = Collection::committed().unwrap().runs;
    if let Some(i) = args.iter().position(|a| a == "--trace") {
        let name = &args[i + 1];
        let phase = Phase::new(args.get(i + 2).map_or(0, |p| p.parse().unwrap())).unwrap();
        for run in runs.iter().filter(|r| &r.recording.case.name == name) {
            println!("{:?} wanted {}", run.recording.case, run.expected.wanted);
            let r = impairment_replay(undelayed_policy(), &run.recording, phase, detail, true);
            println!("{r} {}", class(run.expected.wanted, &r));
        }
        return;
    }
    let full = args.iter().any(|a| a == "--policy");
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for phase in Phase::ALL {
        let mut n: BTreeMap<String, usize> = BTreeMap::new();
        for run in &runs {
            let r = if full {
                replay(undelayed_policy(), &run.recording, phase, detail)
            } else {
                impairment_replay(undelayed_policy(), &run.recording, phase, detail, false)
            };
            let c = class(run.expected.wanted, &r);
            *n.entry(c.to_string()).or_default() += 1;
            if c != Class::Right {
                wrong
                    .entry(format!(
                        "{} {}",
                        run.recording.case.name, run.expected.wanted
                    ))
                    .or_default()
                    .push(format!("{}:{c} {r}", phase.second()));
            }
        }
        println!("phase {} {n:?}", phase.second());
    }
    if !args.iter().any(|a| a == "--short") {
        for (k, v) in wrong {
            println!("{k:32} {}", v.join(" | "));
        }
    }
}
