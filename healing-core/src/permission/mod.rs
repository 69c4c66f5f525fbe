//! Whether a proposed action may be carried out. Permission always wins: over rules, over models.
//!
//! Each guard is a small rule of its own; all that apply are recorded, the gravest is the headline.

pub(crate) mod budget;
pub(crate) mod cooldown;
pub(crate) mod dependency;
pub(crate) mod escalation;
pub(crate) mod splay;
pub(crate) mod veto;
