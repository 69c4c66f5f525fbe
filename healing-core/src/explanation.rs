//! A decision in one human sentence, and the figures behind it.

use crate::decision::{Action, DecidedBy, Decision, Lane, Reason, Verdict};
use crate::model::Contributions;
use crate::policy::Proposer;

/// Why a decision came out as it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What was proposed.
    pub proposed: Action,
    /// What became of it.
    pub verdict: Verdict,
    /// The evidence.
    pub evidence: Reason,
    /// Everything that forbids it.
    pub vetoes: Vec<Reason>,
    /// What each feature adds to the model's vote for the proposed action, where a model can tell.
    pub contributions: Option<Contributions>,
    sentence: String,
}

// === impl Explanation ===

impl Explanation {
    pub(crate) fn of(decision: &Decision, proposer: &Proposer) -> Self {
        let contributions = match proposer {
            Proposer::Model(model) if decision.lane == Lane::Reported => {
                model.contributions(&decision.features, decision.proposed)
            }
            _ => None,
        };
        Self {
            proposed: decision.proposed,
            verdict: decision.verdict,
            evidence: decision.evidence,
            vetoes: decision.vetoes.iter().collect(),
            sentence: sentence(decision, contributions.as_ref()),
            contributions,
        }
    }
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

fn sentence(decision: &Decision, contributions: Option<&Contributions>) -> String {
    let what = match decision.proposed {
        Action::NoAction => "Nothing is done",
        Action::ResetErrors => "A soft heal",
        Action::RestartService => "A restart",
    };
    let because = bare(decision.evidence);
    let mut text = match decision.verdict {
        Verdict::NoProposal => format!("{what}: {because}"),
        Verdict::Allowed => format!("{what} is due: {because}"),
        Verdict::Vetoed => {
            let vetoes: Vec<_> = decision.vetoes.iter().map(bare).collect();
            format!(
                "{what} would be due ({because}), but is not allowed: {}",
                vetoes.join("; ")
            )
        }
    };
    if decision.decided_by == DecidedBy::Model
        && let Some(probabilities) = decision.probabilities
    {
        // All three: the evidence may allow less than the model would do.
        let [none, soft, hard] = probabilities.map(|share| 100.0 * share);
        text += &format!(
            ". The model's votes: nothing {none:.0} %, soft heal {soft:.0} %, restart {hard:.0} %"
        );
        let leading = contributions.iter().flat_map(|c| &c.features).take(2);
        for (feature, part) in leading.filter(|(_, part)| *part > 0.0) {
            if let Some(value) = decision.features.get(*feature) {
                let unit = feature.spec().unit;
                text += &format!("; {feature} of {value} {unit} adds {:.0} %", 100.0 * part);
            }
        }
    }
    text.push('.');
    text
}

/// A reason's sentence as part of another.
fn bare(reason: Reason) -> String {
    let text = reason.explain().trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
