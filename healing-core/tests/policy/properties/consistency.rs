//! Consistency of the fields of a decision.

use healing_core::decision::{
    Action, DecidedBy, Decision, ModelRecord, ReasonKind, Verdict, Vetoes,
};

/// Asserts that the fields of a decision are consistent.
pub(super) fn assert_consistent(decision: &Decision) {
    let Decision {
        proposed,
        action,
        verdict,
        reason,
        evidence,
        vetoes,
        decided_by,
        probabilities,
        model,
        ..
    } = decision;
    let voted = model.is_some_and(|record: ModelRecord| record.abstained.is_none());
    assert_eq!(probabilities.is_some(), voted, "a vote or a reason");
    assert!(voted || *decided_by != DecidedBy::Model);
    match verdict {
        Verdict::NoProposal => {
            assert_eq!(
                (*proposed, *action, *vetoes),
                (Action::NoAction, Action::NoAction, Vetoes::NONE)
            );
            assert_eq!(reason, evidence);
            assert_ne!(reason.kind(), ReasonKind::Veto);
        }
        Verdict::Allowed => {
            assert_eq!((proposed, *vetoes), (action, Vetoes::NONE));
            assert_ne!(*action, Action::NoAction);
            assert_eq!((reason, reason.kind()), (evidence, ReasonKind::Evidence));
        }
        Verdict::Vetoed => {
            assert_eq!(
                (*action, Some(*reason)),
                (Action::NoAction, vetoes.headline())
            );
            assert_ne!(*proposed, Action::NoAction);
            assert_eq!(evidence.kind(), ReasonKind::Evidence);
        }
    }
}
