//! The incidents on which the built-in model is trained, in closed loop.

use super::in_turn;
use crate::episode::IncidentEpisode;
use crate::episode::{Episode, Population};
use crate::simulator::Scenario;

/// Population of the [module](self).
#[derive(Debug, Clone, Copy)]
pub struct InKind;

impl Population for InKind {
    fn name(&self) -> &'static str {
        "in_kind"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(IncidentEpisode::new(in_turn(&Scenario::ALL, seed), seed))
    }
}
