//! Conclusion from the figures of a poll: the evidence, unless the cause is one that a treatment does not
//! change.

use super::assessment::Assessment;
use super::cpu::CpuState;
use super::learned::Learned;
use crate::config::ImpairmentConfig;
use crate::reason::{Reason, Vetoes};
use crate::time::Time;

/// Adds evidence and vetoes to the figures.
pub(super) fn conclude(
    now: Time,
    figures: Assessment,
    cpu: CpuState,
    has_hooks: bool,
    learned: &Learned,
    config: &ImpairmentConfig,
) -> Assessment {
    let mut vetoes = Vetoes::NONE;
    vetoes.insert_if(cpu.used_up, Reason::CpuSaturated);
    vetoes.insert_if(cpu.starved, Reason::Starved);
    vetoes.insert_if(learned.saturation.holds(), Reason::Saturated);
    let load_is_cause = !vetoes.is_empty();
    let effect = &learned.restart_effect;
    vetoes.insert_if(effect.forbids_restart(), Reason::RestartDoesNotHelp);
    let figures = Assessment {
        pending: effect.is_pending(),
        vetoes,
        ..figures
    };
    let conditions = &learned.conditions;
    if figures.pending {
        figures
    } else if load_is_cause
        && (!cpu.starved || cpu.limit_reached)
        && !learned.last_resort_used
        && conditions.is_last_resort_due(config)
    {
        Assessment {
            hard: Some(Reason::LastResort),
            vetoes: vetoes.without(&[Reason::CpuSaturated, Reason::Starved, Reason::Saturated]),
            ..figures
        }
    } else {
        Assessment {
            soft: conditions.soft_evidence(config),
            hard: conditions.hard_evidence(now, has_hooks, config),
            ..figures
        }
    }
}
