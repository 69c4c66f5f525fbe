//! Scores as tables for people.

use std::fmt;

use super::Score;
use healing_core::decision::Action;

/// The scores as a table.
pub struct Table<'a>(pub &'a [Score]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>26} {:>7} {:>8}  {:>13} {:>13} {:>13}  {:>19}",
            "decider",
            "cost",
            "lost %",
            "none p/r",
            "reset p/r",
            "restart p/r",
            "needless/missed restarts"
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
            let c = &score.confusion;
            let needless = c[0][2] + c[1][2];
            let missed = c[2][0] + c[2][1];
            writeln!(f, "  {needless:>12}/{missed}")?;
        }
        Ok(())
    }
}

/// What each decided, by what was right.
pub struct Confusions<'a>(pub &'a [Score]);

impl fmt::Display for Confusions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>26} {:>24} {:>24} {:>24}",
            "decided", "none", "reset", "restart"
        )?;
        write!(f, "{:>26}", "where right was")?;
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
