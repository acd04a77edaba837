//! What is logged.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

/// The events, as lines: the level, then the fields, then the spans that they are in.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>);

thread_local! {
    /// The spans that the thread is in.
    static WITHIN: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// Fields, one behind the other.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Log {
    /// That of the whole process: whether an event is of interest is asked once, on whichever thread comes first.
    pub(crate) fn of_all() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let log = LOG.get_or_init(|| {
            let log = Self::default();
            tracing::subscriber::set_global_default(log.clone()).unwrap();
            log
        });
        log.clone()
    }

    /// The first line that holds these words, once there is one; it is taken out.
    pub(crate) async fn wait_for(&self, words: &str) -> String {
        let looking = async {
            loop {
                if let Some(line) = self.take(words) {
                    return line;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), looking).await.expect(words)
    }

    fn take(&self, words: &str) -> Option<String> {
        let mut lines = self.0.lock().unwrap();
        let at = lines.iter().position(|line| line.contains(words))?;
        Some(lines.remove(at))
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(format!("in {}: ", span.metadata().name()));
        span.record(&mut fields);
        let mut spans = self.1.lock().unwrap();
        spans.push(fields.0);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Fields(format!("{} ", event.metadata().level()));
        event.record(&mut line);
        WITHIN.with_borrow(|within| {
            let spans = self.1.lock().unwrap();
            within.iter().for_each(|span| line.0.push_str(&spans[span.into_u64() as usize - 1]));
        });
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, span: &Id) {
        WITHIN.with_borrow_mut(|within| within.push(span.clone()));
    }

    fn exit(&self, _: &Id) {
        let _ = WITHIN.with_borrow_mut(Vec::pop);
    }
}
