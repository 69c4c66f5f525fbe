//! Faults of the trial service. They last until a restart, or until their switch is set back to zero.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

/// Number of permits of the pool.
const POOL: u64 = 10;
/// Interval between allocations of the memory leak.
const LEAK_TICK: Duration = Duration::from_millis(100);

/// Switches of the faults; zero means off.
#[derive(Debug)]
pub(super) struct Faults {
    /// Milliseconds for which each request holds one lock.
    convoy_ms: AtomicU64,
    lock: Mutex<()>,
    /// Milliseconds that the queue's only consumer takes for each item.
    queue_ms: AtomicU64,
    queue: mpsc::UnboundedSender<(Duration, oneshot::Sender<()>)>,
    /// Milliseconds for which each request holds a permit of the pool.
    pool_ms: AtomicU64,
    pool: Semaphore,
    /// Milliseconds before each response.
    slow_ms: AtomicU64,
    /// Percentage of all requests that fail.
    error_percent: AtomicU64,
    /// Percentage of the requests to the second route that fail.
    route_percent: AtomicU64,
    /// Set if the background task that requests depend on has panicked.
    task_dead: Arc<AtomicBool>,
    kill_task: Arc<Notify>,
    /// Request to stop the task that serves the app's port.
    pub(super) stop_front_door: Notify,
    counter: AtomicU64,
    app: Handle,
    workers: usize,
}

/// Failure of a request.
#[derive(Debug)]
pub(super) struct Failed;

impl Faults {
    /// Starts the background tasks on the app's runtime.
    pub(super) fn start(workers: usize) -> Arc<Self> {
        let (queue, mut items) = mpsc::unbounded_channel::<(Duration, oneshot::Sender<()>)>();
        tokio::spawn(async move {
            while let Some((work, done)) = items.recv().await {
                tokio::time::sleep(work).await;
                let _ = done.send(()); // the client may have disconnected
            }
        });
        let (task_dead, kill_task) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (dead, kill) = (SetOnDrop(Arc::clone(&task_dead)), Arc::clone(&kill_task));
        tokio::spawn(async move {
            let _dead = dead;
            kill.notified().await;
            std::panic::resume_unwind(Box::new("the background task panics"));
        });
        Arc::new(Self {
            convoy_ms: AtomicU64::new(0),
            lock: Mutex::default(),
            queue_ms: AtomicU64::new(0),
            queue,
            pool_ms: AtomicU64::new(0),
            pool: Semaphore::new(usize::try_from(POOL).unwrap_or(1)),
            slow_ms: AtomicU64::new(0),
            error_percent: AtomicU64::new(0),
            route_percent: AtomicU64::new(0),
            task_dead,
            kill_task,
            stop_front_door: Notify::new(),
            counter: AtomicU64::new(0),
            app: Handle::current(),
            workers,
        })
    }

    /// Sets the switch of a fault, or starts a fault that cannot be undone. Returns `false` if the name is unknown.
    pub(super) fn inject(&self, name: &str, value: u64) -> bool {
        let switch = match name {
            "convoy" => &self.convoy_ms,
            "queue" => &self.queue_ms,
            "pool" => &self.pool_ms,
            "slow" => &self.slow_ms,
            "errors" => &self.error_percent,
            "route" => &self.route_percent,
            _ => return self.start_fault(name, value),
        };
        switch.store(value, Ordering::Relaxed);
        true
    }

    fn start_fault(&self, name: &str, value: u64) -> bool {
        match name {
            "pool-leak" => {
                // The permits are never returned, as if a handler leaked them on its error path.
                for _ in 0..value.min(POOL) {
                    if let Ok(permit) = self.pool.try_acquire() {
                        permit.forget();
                    }
                }
            }
            "dead-task" => self.kill_task.notify_one(),
            "front-door" => self.stop_front_door.notify_one(),
            "block" => self.block(usize::try_from(value).unwrap_or(usize::MAX)),
            "wedge" => self.block(self.workers),
            "leak-descriptors" => self.leak_descriptors(value),
            "leak-memory" => self.leak_memory(value),
            "crash" => std::process::exit(1),
            _ => return false,
        }
        true
    }

    /// Applies the active faults to a request of either route.
    pub(super) async fn apply(&self, second_route: bool) -> Result<(), Failed> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let ms = |switch: &AtomicU64| {
            let ms = switch.load(Ordering::Relaxed);
            (ms > 0).then(|| Duration::from_millis(ms))
        };
        if let Some(held) = ms(&self.convoy_ms) {
            // A blocking lock across slow work blocks the worker, not only the task.
            let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            std::thread::sleep(held);
        }
        if let Some(work) = ms(&self.queue_ms) {
            let (done, finished) = oneshot::channel();
            self.queue.send((work, done)).map_err(|_| Failed)?;
            finished.await.map_err(|_| Failed)?;
        }
        if let Some(held) = ms(&self.pool_ms) {
            let _permit = self.pool.acquire().await.map_err(|_| Failed)?;
            tokio::time::sleep(held).await;
        }
        if let Some(time) = ms(&self.slow_ms) {
            tokio::time::sleep(time).await;
        }
        let share = if second_route {
            &self.route_percent
        } else {
            &self.error_percent
        };
        let dead = self.task_dead.load(Ordering::Relaxed);
        // Multiples of 37 modulo 100 spread the failing requests evenly.
        let position = (number * 37) % 100;
        if position < share.load(Ordering::Relaxed) || (dead && position < 30) {
            return Err(Failed);
        }
        Ok(())
    }

    /// Blocks this many workers of the app's runtime until the process exits.
    pub(super) fn block(&self, workers: usize) {
        for _ in 0..workers.min(self.workers) {
            self.app.spawn(async {
                loop {
                    std::thread::sleep(Duration::from_secs(1));
                }
            });
        }
    }

    fn leak_descriptors(&self, per_second: u64) {
        self.app.spawn(async move {
            let mut leaked = Vec::new();
            let pause = Duration::from_secs(1) / u32::try_from(per_second.max(1)).unwrap_or(1);
            loop {
                if let Ok(file) = File::open("/dev/null") {
                    leaked.push(file);
                }
                tokio::time::sleep(pause).await;
            }
        });
    }

    fn leak_memory(&self, kib_per_second: u64) {
        self.app.spawn(async move {
            let mut leaked = Vec::new();
            let bytes = usize::try_from(kib_per_second * 1024 / 10).unwrap_or(1024);
            loop {
                leaked.push(vec![1_u8; bytes]);
                tokio::time::sleep(LEAK_TICK).await;
            }
        });
    }
}

/// Sets a flag when it is dropped, also by a panic.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
