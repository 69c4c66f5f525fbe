//! Workers of the runtime: the order in which they take tasks.

use super::process::Phase;
use super::state::{Simulation, Task};

impl Simulation<'_> {
    /// Gives tasks to free workers, in order of their readiness.
    pub(super) fn dispatch(&mut self) {
        while self.free_workers() > 0 {
            let front = if self.accepts() {
                self.front.front()
            } else {
                None
            };
            let from_front = match (front, self.ready.front()) {
                (Some((arrived, _)), Some((ready, _))) => arrived < ready,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return,
            };
            let next = if !from_front {
                self.ready.pop_front()
            } else if self.is_newest_first() {
                self.front.pop_back()
            } else {
                self.front.pop_front()
            };
            if let Some((since, task)) = next {
                self.start(task, since);
            }
        }
    }

    /// Reports if the newest connection is served before the others.
    fn is_newest_first(&self) -> bool {
        let share = self.life.service.newest_first;
        share > 0.0
            && self.front.back().is_some_and(|(_, task)| match task {
                Task::Request(key) => self
                    .requests
                    .peek(*key)
                    .is_some_and(|request| !request.left && request.demand.coins[3] < share),
                Task::Probe(_) | Task::Ping => false,
            })
    }

    /// Returns the number of free workers.
    pub(super) fn free_workers(&self) -> u32 {
        if self.process.phase != Phase::Serving {
            return 0;
        }
        let workers = self.life.service.workers;
        workers
            .saturating_sub(self.busy)
            .saturating_sub(self.faults.active.blocked)
    }

    /// Reports if the app accepts connections.
    fn accepts(&self) -> bool {
        self.faults.active.front_door_closed.is_none() && self.usage.descriptors < 100.0
    }
}
