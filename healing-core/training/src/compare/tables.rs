//! Scores as text tables.

use std::fmt;

use super::Score;
use healing_core::decision::Action;

/// Table of costs, of precision and recall for each action, and of wrong restarts.
pub struct ScoreTable<'a>(pub &'a [Score]);

impl fmt::Display for ScoreTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>43}  {:>41}", "", "precision/recall of each action")?;
        writeln!(
            f,
            "{:>26} {:>7} {:>8}  {:>13} {:>13} {:>13}  {:>24}",
            "decider", "cost", "regret %", "none", "reset", "restart", "needless/missed restarts"
        )?;
        for score in self.0 {
            write!(
                f,
                "{:>26} {:>7.4} {:>8.3} ",
                score.decider,
                score.mean_cost,
                100.0 * score.regret
            )?;
            for action in Action::ALL {
                let (precision, recall) = score.precision_recall(action);
                let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
                write!(
                    f,
                    " {:>13}",
                    format!("{}/{}", show(precision), show(recall))
                )?;
            }
            let confusion = &score.confusion;
            let needless = confusion[0][2] + confusion[1][2];
            let missed = confusion[2][0] + confusion[2][1];
            writeln!(f, "  {:>24}", format!("{needless}/{missed}"))?;
        }
        Ok(())
    }
}

/// Confusion matrix of each decider: counts grouped by decision (outer) and label (inner).
pub struct ConfusionTable<'a>(pub &'a [Score]);

impl fmt::Display for ConfusionTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>26} {:>24} {:>24} {:>24}",
            "decision", "none", "reset", "restart"
        )?;
        write!(f, "{:>26}", "label")?;
        for _ in Action::ALL {
            write!(f, " {:>8}{:>8}{:>8}", "none", "reset", "restart")?;
        }
        writeln!(f)?;
        for score in self.0 {
            write!(f, "{:>26}", score.decider)?;
            for decided in Action::ALL {
                let [none, reset, restart] = score.confusion.map(|row| row[decided as usize]);
                write!(f, " {none:>8}{reset:>8}{restart:>8}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
