//! Explanation of a decision: a sentence for people, and the underlying data.

use crate::decision::{Action, DecidedBy, Decision, Reason, Verdict};
use crate::impairment::Assessment;
use crate::model::Contributions;

/// Explanation of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Proposed action.
    pub proposed: Action,
    /// Result of the proposal.
    pub verdict: Verdict,
    /// Reason for the proposed action or for proposing none.
    pub evidence: Reason,
    /// All vetoes, the most severe first.
    pub vetoes: Vec<Reason>,
    /// Contribution of each feature to the model's vote for the proposed action, if a
    /// model was consulted.
    pub contributions: Option<Contributions>,
    sentence: String,
}

// === impl Explanation ===

impl Explanation {
    /// Explains a decision, with the contributions of its features if a model was consulted.
    pub(crate) fn of(decision: &Decision, contributions: Option<Contributions>) -> Self {
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

/// Returns the explanation of a decision in one sentence.
fn sentence(decision: &Decision, contributions: Option<&Contributions>) -> String {
    let what = match decision.proposed {
        Action::NoAction => "Nothing is done",
        Action::ResetErrors => "A soft heal",
        Action::RestartService => "A restart",
    };
    let because = clause(decision.evidence);
    let mut text = match decision.verdict {
        Verdict::NoProposal => format!("{what}: {because}"),
        Verdict::Allowed => format!("{what} is due: {because}"),
        Verdict::Vetoed => {
            let vetoes: Vec<_> = decision.vetoes.iter().map(clause).collect();
            format!(
                "{what} would be due ({because}), but is not allowed: {}",
                vetoes.join("; ")
            )
        }
    };
    text += &impairment(decision);
    if decision.decided_by == DecidedBy::Model
        && let Some(probabilities) = decision.probabilities
    {
        // All three are shown, because the evidence may allow less than the model votes for.
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

/// Returns the figures of the impairment, if it is the evidence.
fn impairment(decision: &Decision) -> String {
    let Assessment {
        ratio,
        goodput,
        demand,
        proven_capacity,
        ..
    } = decision.impairment;
    if !decision.evidence.is_impairment() {
        return String::new();
    }
    let mut text = String::new();
    if let Some((goodput, demand)) = goodput.zip(demand) {
        text += &format!(". {goodput:.1} of {demand:.1} requests per second succeed");
        if let Some(capacity) = proven_capacity {
            text += &format!(", and the app has proved {capacity:.1}");
        }
    }
    if let Some(ratio) = ratio {
        text += &format!(". The impairment is at least {:.0} %", 100.0 * ratio);
    }
    text
}

/// Returns the explanation of a reason as a clause, without capital letter and full stop.
fn clause(reason: Reason) -> String {
    let text = reason.explain().trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
