//! An arena in memory on a paused clock, and who comes in.

use std::time::Duration;

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{Client, Host, Running};
use shooter::{Event, Game, Rules, doors};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::{sleep, timeout};

/// A server whose doors are in memory.
pub(crate) struct World {
    // Dropped, it ends.
    _running: Running,
    text: MemoryConnector,
    raw: MemoryConnector,
}

impl World {
    /// With so many bots, and no items.
    pub(crate) async fn new(bots: u16) -> Self {
        Self::with(Rules { items: false, ..Rules::default() }, bots).await
    }

    pub(crate) async fn with(rules: Rules, bots: u16) -> Self {
        let (doors, text, raw) = doors::in_memory();
        let server = doors::server(doors, &rules).host(Host::Task);
        Self { _running: server.logic(Game::new(rules, bots, 1)).await.unwrap(), text, raw }
    }

    pub(crate) async fn person(&self) -> Person {
        Person::over(self.text.connect().unwrap()).await
    }

    pub(crate) async fn client(&self) -> Client<Event, Event> {
        let client = Client::<Event, Event>::options().over(self.raw.connect().unwrap());
        ticks(2).await;
        client
    }
}

/// Lets so many ticks pass.
pub(crate) async fn ticks(count: u32) {
    sleep(Duration::from_secs(1) * count / 60).await;
}

/// Somebody at the text door.
pub(crate) struct Person(BufReader<MemoryStream>);

impl Person {
    async fn over(stream: MemoryStream) -> Self {
        // Until it has been told what is there.
        ticks(2).await;
        Self(BufReader::new(stream))
    }

    /// Says lines, and lets the next tick pass.
    pub(crate) async fn say(&mut self, lines: &str) {
        self.0.get_mut().write_all(format!("{lines}\n").as_bytes()).await.unwrap();
        ticks(2).await;
    }

    /// The lines that have come.
    pub(crate) async fn heard(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        // On a paused clock this is up as soon as nothing else runs.
        while let Ok(Some(line)) = timeout(Duration::from_millis(1), self.line()).await {
            lines.push(line);
        }
        lines
    }

    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.strip_suffix('\n').map(str::to_owned)
    }
}
