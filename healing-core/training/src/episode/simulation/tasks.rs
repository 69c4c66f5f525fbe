//! Tasks that wait for a worker: connections in front of the app, and ready tasks inside it.

use std::collections::VecDeque;

use super::looks::Looks;
use super::requests::Key;

/// Task that waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// One part of a request.
    Request(Key),
    /// Probe of the front door, by its number.
    Probe(u32),
    /// Ping of the heartbeat.
    Ping,
}

/// Turn of a ready task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The task of a new connection registers its socket, at no cost.
    Register,
    /// The task runs.
    Run,
}

/// Queues of the tasks. Each task has the time since which it waits.
#[derive(Debug)]
pub(super) struct TaskQueues {
    /// Maximum length of `front`.
    backlog: usize,
    /// Connections that wait in front of the app.
    front: VecDeque<(f64, Task)>,
    /// Number of probes among them.
    probes: usize,
    /// Tasks that wait inside the app.
    ready: VecDeque<(f64, Turn, Task)>,
    /// Looks at the sockets and timers; absent if the runtime sees at once what happens.
    looks: Option<Looks>,
    /// Tasks whose socket is readable, or whose timer has ended, since the last look.
    unseen: VecDeque<Task>,
}

// === impl TaskQueues ===

impl TaskQueues {
    /// Returns empty queues.
    pub(super) fn new(backlog: usize, looks: Option<Looks>) -> Self {
        Self {
            backlog,
            front: VecDeque::new(),
            probes: 0,
            ready: VecDeque::new(),
            looks,
            unseen: VecDeque::new(),
        }
    }

    /// Returns `true` if a further connection can wait.
    pub(super) fn has_room(&self) -> bool {
        self.front.len() < self.backlog
    }

    /// Returns the number of connections that wait to be accepted.
    pub(super) fn backlog(&self) -> usize {
        self.front.len()
    }

    /// Returns the number of clients' connections among them.
    pub(super) fn clients_in_backlog(&self) -> usize {
        self.front.len() - self.probes
    }

    /// Adds a connection; drops it if the backlog is full.
    pub(super) fn connect(&mut self, now: f64, task: Task) {
        if self.has_room() {
            self.probes += usize::from(is_probe(task));
            self.front.push_back((now, task));
        }
    }

    /// Adds a task that another thread wakes.
    pub(super) fn push_ready(&mut self, now: f64, task: Task) {
        self.ready.push_back((now, Turn::Run, task));
    }

    /// Adds a task whose socket is readable or whose timer has ended.
    pub(super) fn push_event(&mut self, now: f64, task: Task) {
        if self.looks.is_some() {
            self.unseen.push_back(task);
        } else {
            self.push_ready(now, task);
        }
    }

    /// Returns `true` if no task is ready inside the app.
    pub(super) fn is_none_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// Returns `true` if the runtime knows what happened to a socket at a time.
    pub(super) fn has_noticed(&self, happened_at: f64) -> bool {
        self.looks
            .as_ref()
            .is_none_or(|looks| looks.has_noticed(happened_at))
    }

    /// Removes the task that has waited longest; in front of the app the newest one if it `jumps`
    /// the queue. Connections are left alone unless the app `accepts` them.
    pub(super) fn pop(
        &mut self,
        now: f64,
        accepts: bool,
        jumps: impl Fn(Task) -> bool,
    ) -> Option<(f64, Task)> {
        if self.looks.is_some() {
            return self.pop_after_look(now, accepts);
        }
        let front = self.front.front().filter(|_| accepts);
        let is_front = match (front, self.ready.front()) {
            (Some((arrived, _)), Some((ready, ..))) => arrived < ready,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !is_front {
            return self.ready.pop_front().map(|(since, _, task)| (since, task));
        }
        let accepted = if self.front.back().is_some_and(|(_, task)| jumps(*task)) {
            self.front.pop_back()
        } else {
            self.front.pop_front()
        };
        self.probes -= usize::from(accepted.is_some_and(|(_, task)| is_probe(task)));
        accepted
    }

    /// Removes a ready task, after a look at the sockets and timers where one is due.
    fn pop_after_look(&mut self, now: f64, accepts: bool) -> Option<(f64, Task)> {
        loop {
            let has_events = !self.unseen.is_empty() || accepts && !self.front.is_empty();
            if has_events && (self.ready.is_empty() || self.looks.as_ref()?.is_due()) {
                self.look(now, accepts);
            }
            let looks = self.looks.as_mut()?;
            let next = looks.next_task(now, self.ready.len());
            let (since, turn, task) = self.ready.remove(next)?;
            match turn {
                Turn::Run => return Some((since, task)),
                Turn::Register => self.unseen.push_back(task),
            }
        }
    }

    /// Makes the tasks of all events ready, and accepts all connections.
    fn look(&mut self, now: f64, accepts: bool) {
        if let Some(looks) = &mut self.looks {
            looks.record(now);
        }
        let seen = self.unseen.drain(..).map(|task| (now, Turn::Run, task));
        self.ready.extend(seen);
        if accepts {
            self.probes = 0;
            let accepted = self.front.drain(..);
            let opened = accepted.map(|(_, task)| (now, Turn::Register, task));
            self.ready.extend(opened);
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
        self.probes = 0;
        self.ready.clear();
        self.unseen.clear();
    }
}

fn is_probe(task: Task) -> bool {
    matches!(task, Task::Probe(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::simulation::testing::requests;

    fn queues() -> TaskQueues {
        let mut queues = TaskQueues::new(2, None);
        queues.connect(1.0, Task::Probe(1));
        queues.connect(3.0, Task::Probe(3));
        queues.connect(4.0, Task::Probe(4));
        queues.push_ready(2.0, Task::Ping);
        queues
    }

    fn order(accepts: bool, jumps: impl Fn(Task) -> bool) -> Vec<f64> {
        let mut queues = queues();
        std::iter::from_fn(|| queues.pop(9.0, accepts, &jumps).map(|(since, _)| since)).collect()
    }

    #[test]
    fn tasks_run_in_order_of_readiness_and_connections_beyond_the_backlog_are_dropped() {
        assert_eq!(order(true, |_| false), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn probes_are_not_among_the_clients_in_the_backlog() {
        let (_, [client, ..]) = requests();
        let mut queues = TaskQueues::new(2, None);
        queues.connect(1.0, Task::Request(client));
        queues.connect(2.0, Task::Probe(1));
        queues.connect(3.0, Task::Probe(2)); // dropped
        let counts = |queues: &TaskQueues| (queues.backlog(), queues.clients_in_backlog());
        assert_eq!(counts(&queues), (2, 1));
        queues.pop(4.0, true, |_| false);
        assert_eq!(counts(&queues), (1, 0));
        queues.pop(4.0, true, |_| false);
        assert_eq!(counts(&queues), (0, 0));
    }

    #[test]
    fn connections_wait_while_the_app_does_not_accept() {
        assert_eq!(order(false, |_| false), [2.0]);
    }

    #[test]
    fn newest_connection_jumps_the_queue() {
        assert_eq!(order(true, |task| task == Task::Probe(3)), [3.0, 1.0, 2.0]);
    }

    /// Returns the numbers of the tasks in the order in which they run; 100 is that of a new connection.
    fn order_with_looks(ready: u32, events: u32) -> Vec<u32> {
        let mut queues = TaskQueues::new(9, Some(Looks::new(4)));
        for number in 0..ready {
            queues.push_ready(0.0, Task::Probe(number));
        }
        for number in 0..events {
            queues.push_event(0.0, Task::Probe(10 + number));
        }
        queues.connect(0.0, Task::Probe(100));
        let next = |_| match queues.pop(1.0, true, |_| false) {
            Some((_, Task::Probe(number))) => Some(number),
            _ => None,
        };
        (0..).map_while(next).collect()
    }

    #[test]
    fn idle_runtime_sees_a_new_connection_at_once() {
        assert_eq!(order_with_looks(0, 0), [100]);
    }

    #[test]
    fn busy_runtime_accepts_at_one_look_and_reads_at_the_next() {
        let order = order_with_looks(12, 1);
        let at = |number| order.iter().position(|other| *other == number).unwrap();
        assert_eq!(order.len(), 14);
        assert!((4..8).contains(&at(10)) || at(10) >= 8);
        assert!(at(100) >= 8, "{order:?}");
    }
}
