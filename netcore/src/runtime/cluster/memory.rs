//! A backplane inside one process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::NodeId;
use super::backplane::{Answer, Backplane, Incoming, Link, LinkError, Op, Pending};

mod store;

use store::Store;

/// Names and topics in this process's memory: for one process alone, and for tests, in which several nodes share them and
/// the line of each can fail. Time is tokio's, so that names expire on a paused clock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use netcore::cluster::{Cluster, ClaimError, Memory};
///
/// let memory = Memory::new();
/// let (first, starter) = Cluster::new(memory.clone());
/// let _events = starter.start_events();
/// // Another node: the same names, a line of its own.
/// let (second, starter) = Cluster::new(memory.line());
/// let _events = starter.start_events();
///
/// let kim = first.claim("name/kim").await.unwrap();
/// assert_eq!(second.claim("name/kim").await.unwrap_err(), ClaimError::Taken { by: first.node() });
/// drop(kim);
/// first.settled().await.unwrap();
/// assert!(second.claim("name/kim").await.is_ok());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    store: Arc<Mutex<Store>>,
    line: Lines,
}

type Lines = Arc<watch::Sender<Line>>;

/// How a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Up,
    Slow(Duration),
    Frozen,
    Away,
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { store: Arc::default(), line: Arc::new(watch::Sender::new(Line::Up)) }
    }

    /// The same names and topics over another line. Clones share their line.
    #[must_use]
    pub fn line(&self) -> Self {
        Self { store: self.store.clone(), ..Self::new() }
    }

    /// The line breaks, and every try to connect over it fails.
    pub fn away(&self) {
        self.line.send_replace(Line::Away);
    }

    /// The line is as it should be. What a frozen one holds goes on its way.
    pub fn back(&self) {
        self.line.send_replace(Line::Up);
    }

    /// Each answer takes so long.
    pub fn slow(&self, answer: Duration) {
        self.line.send_replace(Line::Slow(answer));
    }

    /// The line stays, and nothing comes over it.
    pub fn freeze(&self) {
        self.line.send_replace(Line::Frozen);
    }

    /// All names are forgotten and all lines break, as when a server without a disk starts anew. Numbers are not: those of
    /// such a server go on with its clock.
    pub fn forget(&self) {
        let incoming = lock(&self.store).forget();
        for incoming in incoming {
            incoming.lost(LinkError::Closed);
        }
    }

    /// How many names are held, and how many topics are heard, the nodes' own included.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        lock(&self.store).sizes()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Backplane for Memory {
    fn connect(&self, node: NodeId, incoming: Incoming) -> Pending<'_, Result<Box<dyn Link>, LinkError>> {
        Box::pin(async move {
            passes(&mut self.line.subscribe()).await?;
            let number = lock(&self.store).connect(node, incoming.clone(), self.line.clone());
            let breaks = tokio::spawn(breaks(self.line.subscribe(), incoming));
            let link = MemoryLink {
                node,
                number,
                store: self.store.clone(),
                line: self.line.clone(),
                breaks: breaks.abort_handle(),
                asked: 0,
                done: Arc::new(watch::Sender::new(0)),
            };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}

struct MemoryLink {
    node: NodeId,
    number: u64,
    store: Arc<Mutex<Store>>,
    line: Lines,
    breaks: tokio::task::AbortHandle,
    // How many lists of operations were asked for, and were done: one that was asked for later is done later, also when the
    // line got faster in between.
    asked: u64,
    done: Arc<watch::Sender<u64>>,
}

impl Link for MemoryLink {
    fn run(&mut self, ops: Vec<Op>) -> Pending<'static, Result<Vec<Answer>, LinkError>> {
        let (store, node, number) = (self.store.clone(), self.node, self.number);
        let mut line = self.line.subscribe();
        let (turn, done) = (self.asked, self.done.clone());
        self.asked += 1;
        Box::pin(async move {
            passes(&mut line).await?;
            if done.subscribe().wait_for(|done| *done == turn).await.is_err() {
                return Err(LinkError::Closed);
            }
            let mut answers = Vec::with_capacity(ops.len());
            for op in ops {
                let (answer, told) = lock(&store).run(node, number, op)?;
                // Not under the lock: a worker's own code may make a message of it.
                told.tell();
                answers.push(answer);
            }
            done.send_replace(turn + 1);
            Ok(answers)
        })
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        self.breaks.abort();
        lock(&self.store).disconnect(self.number);
    }
}

/// Waits until something gets over the line.
async fn passes(line: &mut watch::Receiver<Line>) -> Result<(), LinkError> {
    loop {
        let now = *line.borrow_and_update();
        match now {
            Line::Up => return Ok(()),
            Line::Slow(time) => {
                sleep(time).await;
                return Ok(());
            }
            Line::Away => return Err(LinkError::Refused("the line is down".into())),
            Line::Frozen => {
                if line.changed().await.is_err() {
                    return Err(LinkError::Closed);
                }
            }
        }
    }
}

/// Says when the line breaks.
async fn breaks(mut line: watch::Receiver<Line>, incoming: Incoming) {
    if line.wait_for(|line| *line == Line::Away).await.is_ok() {
        incoming.lost(LinkError::Closed);
    }
}

fn lock(store: &Mutex<Store>) -> std::sync::MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
