//! Tasks that wait for a worker: connections in front of the app, and ready tasks inside it.

use std::collections::VecDeque;

use super::requests::Key;

/// Task that waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// One half of a request.
    Request(Key),
    /// Probe of the front door, by its number.
    Probe(u32),
    /// Ping of the heartbeat.
    Ping,
}

/// Both queues. Each task has the time since which it waits.
#[derive(Debug)]
pub(super) struct TaskQueues {
    /// Maximum length of `front`.
    backlog: usize,
    /// Connections that wait in front of the app.
    front: VecDeque<(f64, Task)>,
    /// Tasks that wait inside the app.
    ready: VecDeque<(f64, Task)>,
}

// === impl TaskQueues ===

impl TaskQueues {
    /// Returns empty queues.
    pub(super) fn new(backlog: usize) -> Self {
        Self {
            backlog,
            front: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }

    /// Returns `true` if a further connection can wait.
    pub(super) fn has_room(&self) -> bool {
        self.front.len() < self.backlog
    }

    /// Returns the number of connections that wait in front of the app.
    pub(super) fn backlog(&self) -> usize {
        self.front.len()
    }

    /// Adds a connection; drops it if the backlog is full.
    pub(super) fn connect(&mut self, now: f64, task: Task) {
        if self.has_room() {
            self.front.push_back((now, task));
        }
    }

    /// Adds a task that is ready inside the app.
    pub(super) fn push_ready(&mut self, now: f64, task: Task) {
        self.ready.push_back((now, task));
    }

    /// Returns `true` if no task is ready inside the app.
    pub(super) fn is_none_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// Removes the task that has waited longest; in front of the app the newest one if it `jumps`
    /// the queue. Connections are left alone unless the app `accepts` them.
    pub(super) fn pop(
        &mut self,
        accepts: bool,
        jumps: impl Fn(Task) -> bool,
    ) -> Option<(f64, Task)> {
        let front = self.front.front().filter(|_| accepts);
        let is_front = match (front, self.ready.front()) {
            (Some((arrived, _)), Some((ready, _))) => arrived < ready,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !is_front {
            self.ready.pop_front()
        } else if self.front.back().is_some_and(|(_, task)| jumps(*task)) {
            self.front.pop_back()
        } else {
            self.front.pop_front()
        }
    }

    /// Returns the time since which the first request in front of the app waits.
    pub(super) fn first_request_since(&self) -> Option<f64> {
        self.front
            .iter()
            .find_map(|(since, task)| matches!(task, Task::Request(_)).then_some(*since))
    }

    /// Removes all tasks.
    pub(super) fn clear(&mut self) {
        self.front.clear();
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues() -> TaskQueues {
        let mut queues = TaskQueues::new(2);
        queues.connect(1.0, Task::Probe(1));
        queues.connect(3.0, Task::Probe(3));
        queues.connect(4.0, Task::Probe(4));
        queues.push_ready(2.0, Task::Ping);
        queues
    }

    fn order(accepts: bool, jumps: impl Fn(Task) -> bool) -> Vec<f64> {
        let mut queues = queues();
        std::iter::from_fn(|| queues.pop(accepts, &jumps).map(|(since, _)| since)).collect()
    }

    #[test]
    fn tasks_run_in_order_of_readiness_and_connections_beyond_the_backlog_are_dropped() {
        assert_eq!(order(true, |_| false), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn connections_wait_while_the_app_does_not_accept() {
        assert_eq!(order(false, |_| false), [2.0]);
    }

    #[test]
    fn newest_connection_jumps_the_queue() {
        assert_eq!(order(true, |task| task == Task::Probe(3)), [3.0, 1.0, 2.0]);
    }
}
