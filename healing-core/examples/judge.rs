use healing_core::features::Feature;
use healing_core::training::situations::{Situation, windows};
fn main() {
    let t = std::time::Instant::now();
    let all = windows(&Situation::ALL, 40, 1001);
    println!("{} windows in {:?}", all.len(), t.elapsed());
    for s in Situation::ALL {
        let of: Vec<_> = all.iter().filter(|w| w.situation == s && w.begun).collect();
        let mut l = [0; 3];
        let mut r = [0; 3];
        let mut d = [0.0; 3];
        for w in &of {
            l[w.label as usize] += 1;
            r[w.rules as usize] += 1;
            for i in 0..3 {
                d[i] += w.damage[i] / of.len() as f64;
            }
        }
        println!(
            "{:20} labels {:?} rules {:?} damage {:.3?}",
            s.name(),
            l,
            r,
            d
        );
    }
    let pre: Vec<_> = all.iter().filter(|w| !w.begun).collect();
    let mut l = [0; 3];
    for w in &pre {
        l[w.label as usize] += 1;
    }
    println!("before {l:?}");
    for f in Feature::ALL {
        let absent = all.iter().filter(|w| w.features.get(f).is_none()).count();
        println!("{:22} absent {absent}", f.name());
    }
}
