//! A worker that runs, on a thread of its own or as a task.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::queue::{Event, Queue};
use super::super::work::erased;
use super::super::{Host, Logic, ServerError};
use super::Worker;

/// One worker that runs. Dropped, it ends when it is done with what is before it.
pub(crate) struct WorkerHandle {
    queue: Box<dyn Control>,
    ended: oneshot::Receiver<()>,
}

trait Control: Send + Sync {
    fn stopping(&self, done: oneshot::Sender<()>);
    fn fence(&self, done: oneshot::Sender<u64>);
    fn working(&self) -> usize;
    fn stop(&self);
}

impl<In: Send, Message: Send> Control for Arc<Queue<In, Message>> {
    fn stopping(&self, done: oneshot::Sender<()>) {
        self.push(Event::Stopping(done));
    }

    fn fence(&self, done: oneshot::Sender<u64>) {
        self.push(Event::Fence(done));
    }

    fn working(&self) -> usize {
        Queue::working(self)
    }

    fn stop(&self) {
        self.push(Event::Stop);
    }
}

impl WorkerHandle {
    pub(crate) fn start<L: Logic>(
        number: usize,
        worker: Worker<L>,
        host: Host,
        queue: Arc<Queue<L::In, L::Message>>,
    ) -> Result<Self, ServerError> {
        let (end, ended) = oneshot::channel();
        let work = erased(async move {
            worker.run().await;
            let _ = end.send(());
        });
        match host {
            Host::Task => drop(tokio::spawn(work)),
            Host::Thread => {
                // A runtime of its own gives the worker its clock; sockets stay with the server's.
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                let runtime = Unused(Some(runtime.map_err(ServerError::Thread)?));
                if queue.is_called() {
                    let queue = queue.clone();
                    drop(tokio::spawn(erased(async move { queue.call().await })));
                }
                let thread = std::thread::Builder::new().name(format!("netcore-{number}"));
                thread.spawn(move || runtime.block_on(work)).map_err(ServerError::Thread)?;
            }
        }
        Ok(Self { queue: Box::new(queue), ended })
    }

    pub(crate) fn say_stopping(&self) -> impl Future<Output = ()> + use<> {
        let (done, said) = oneshot::channel();
        self.queue.stopping(done);
        async move {
            let _ = said.await;
        }
    }

    /// Waits until all that stands in the queue now has been handled; how often the worker has told one meanwhile.
    pub(crate) fn fence(&self) -> impl Future<Output = u64> + use<> {
        let (done, said) = oneshot::channel();
        self.queue.fence(done);
        async move { said.await.unwrap_or_default() }
    }

    /// How much is being done in the background for it.
    pub(crate) fn working(&self) -> usize {
        self.queue.working()
    }

    pub(crate) fn stop(&mut self) {
        self.queue.stop();
    }

    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

/// A runtime that may be dropped where no thread may wait: with the thread that was to be its own and could not be made.
struct Unused(Option<tokio::runtime::Runtime>);

impl Unused {
    fn block_on(mut self, work: impl Future<Output = ()>) {
        if let Some(runtime) = self.0.take() {
            runtime.block_on(work);
        }
    }
}

impl Drop for Unused {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::Unused;

    #[tokio::test]
    async fn a_worker_whose_thread_cannot_be_made_is_dropped_where_it_was_to_start() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        drop(Unused(Some(runtime)));
    }
}
