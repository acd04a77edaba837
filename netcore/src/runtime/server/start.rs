//! How a server with workers starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio_util::sync::CancellationToken;

use super::super::house::Way;
use super::super::queue::{Event, Queue};
use super::super::teller::Untold;
use super::super::worker::{Parts, Worker, WorkerHandle, WorkerSettings};
use super::super::{Full, Logic, Running, Stats};
use super::{Server, ServerError};

impl<In: Send + 'static, Out: Send + Sync + 'static> Server<In, Out> {
    /// With a worker for each of these, that `make` makes anew.
    pub(super) async fn start<L>(
        self,
        logics: Vec<L>,
        make: Option<Arc<dyn Fn(usize) -> L + Send + Sync>>,
    ) -> Result<Running<L::Message>, ServerError>
    where
        L: Logic<In = In, Out = Out>,
    {
        let queues: Arc<[_]> =
            logics.iter().map(|_| Arc::new(Queue::new(self.max_messages, self.host.bell()))).collect();
        let way = {
            let (queues, next) = (queues.clone(), AtomicUsize::new(0));
            Way::Workers(Arc::new(move |peer| {
                let number = next.fetch_add(1, Relaxed) % queues.len();
                if let Some(queue) = queues.get(number) {
                    peer.read_by(queue.clone());
                    queue.bring(Event::Opened(peer), 0);
                }
            }))
        };
        let (host, settings) =
            (self.host, WorkerSettings { tick: self.worker.step(), ..self.worker.clone() });
        let doors: Arc<[_]> = self.doors.iter().map(|door| door.encoding(self.slow)).collect();
        let (stats, stop) = (Arc::new(Stats::default()), CancellationToken::new());
        let opened = self.open(way, stats.clone()).await?;
        let tell = {
            let (queues, stats) = (queues.clone(), stats.clone());
            Arc::new(move |worker: usize, message, weight| match queues.get(worker) {
                Some(queue) => queue.post(message, weight).map_err(|Full(message)| {
                    if !queue.is_open() {
                        return Untold::Gone(message);
                    }
                    stats.messages_refused.fetch_add(1, Relaxed);
                    Untold::Full(message)
                }),
                None => Err(Untold::Gone(message)),
            })
        };
        // Dropped where a worker cannot start, it ends those who have come in by then.
        let mut running = Running::new(opened, stop.clone(), tell);
        let broadcasts = Arc::new(AtomicU64::new(0));
        for ((number, logic), queue) in logics.into_iter().enumerate().zip(queues.iter()) {
            let parts = Parts {
                doors: doors.clone(),
                queues: queues.clone(),
                worker: number,
                io: tokio::runtime::Handle::current(),
                stats: stats.clone(),
                stop: stop.clone(),
                broadcasts: broadcasts.clone(),
            };
            let worker = Worker::new(logic, make.clone(), queue.clone(), settings.clone(), parts);
            let handle = WorkerHandle::start(number, worker, host, queue.clone());
            // Nobody will hear what is in the queues of those behind it.
            let unheard = |_: &_| {
                queues.iter().skip(number + 1).for_each(|queue| queue.close().for_each(Event::unheard));
            };
            running.add(handle.inspect_err(unheard)?);
        }
        Ok(running)
    }
}
