//! Events of a local pod, with a time limit for each.

use std::time::Duration;

use healing_cli::pod::{PodEvent, Role};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

/// Events of one pod.
pub(crate) struct Events {
    receiver: Receiver<PodEvent>,
    limit: Duration,
}

impl Events {
    /// Waits at most `limit` for each expected event.
    pub(crate) fn new(receiver: Receiver<PodEvent>, limit: Duration) -> Self {
        Self { receiver, limit }
    }

    /// Returns the first result of `pick`. Panics if it returns none within the limit.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(&PodEvent) -> Option<T>) -> T {
        timeout(self.limit, async {
            loop {
                let event = self.receiver.recv().await.expect("the pod has stopped");
                println!("pod: {event:?}");
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
        })
        .await
        .expect("the event was not received within the limit")
    }

    /// Returns process id and restart count of the next start of `wanted`.
    pub(crate) async fn started(&mut self, wanted: Role) -> (u32, u32) {
        self.until(|event| match event {
            PodEvent::Started {
                role,
                pid,
                restarts,
            } if *role == wanted => Some((*pid, *restarts)),
            _ => None,
        })
        .await
    }

    /// Returns exit code and signal of the next exit of `wanted`.
    pub(crate) async fn exited(&mut self, wanted: Role) -> (Option<i32>, Option<i32>) {
        self.until(|event| match event {
            PodEvent::Exited {
                role, code, signal, ..
            } if *role == wanted => Some((*code, *signal)),
            _ => None,
        })
        .await
    }

    /// Returns the next back-off of `wanted`.
    pub(crate) async fn back_off(&mut self, wanted: Role) -> Duration {
        self.until(|event| match event {
            PodEvent::BackOff { role, delay } if *role == wanted => Some(*delay),
            _ => None,
        })
        .await
    }

    /// Returns role, exit code and signal of all further exits, until the pod has stopped.
    pub(crate) async fn remaining_exits(mut self) -> Vec<(Role, Option<i32>, Option<i32>)> {
        let mut exits = Vec::new();
        while let Some(event) = self.receiver.recv().await {
            if let PodEvent::Exited {
                role, code, signal, ..
            } = event
            {
                exits.push((role, code, signal));
            }
        }
        exits
    }
}
