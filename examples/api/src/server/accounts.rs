//! Accounts in a SQLite file, which several API servers may share. One thread has the connection; nobody else waits for the
//! disk.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::error;

use crate::User;

/// The accounts; cheap to clone. The thread ends with the last of them.
#[derive(Clone)]
pub(crate) struct Accounts {
    jobs: SyncSender<Job>,
}

enum Job {
    Do(Box<dyn FnOnce(&mut Connection) + Send>),
    /// The last one.
    Close(oneshot::Sender<()>),
}

/// An account and its password's hash.
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) hash: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("the name is taken")]
    Taken,
    /// More is asked for than it does.
    #[error("the database is busy")]
    Busy,
    #[error("the database fails")]
    Failed,
}

/// Why there are no accounts to begin with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    #[error("it is the database of another program")]
    Foreign,
    #[error("it was written by a newer version of this server")]
    Newer,
    #[error("there is no thread for it: {0}")]
    Thread(std::io::Error),
}

impl Accounts {
    /// Opens the file, or makes it; `:memory:` is none, and forgotten at the end. Fails if it could not be written later.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        // A path is a path; this beginning alone would be a URI's to SQLite.
        let is_like_uri = path.as_os_str().as_encoded_bytes().starts_with(b"file:");
        let path = if is_like_uri { &Path::new(".").join(path) } else { path };
        private(path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = Connection::open_with_flags(path, flags).map_err(OpenError::Sqlite)?;
        prepare(&mut connection)?;
        let (jobs, come) = sync_channel::<Job>(QUEUE);
        let run = move || {
            let closed = come.into_iter().find_map(|job| match job {
                Job::Do(job) => {
                    job(&mut connection);
                    None
                }
                Job::Close(done) => Some(done),
            });
            drop(connection);
            if let Some(done) = closed {
                let _ = done.send(());
            }
        };
        thread::Builder::new().name("accounts".to_owned()).spawn(run).map_err(OpenError::Thread)?;
        Ok(Self { jobs })
    }

    /// Not cancel-safe: the account may be there.
    pub(crate) async fn add(&self, name: String, hash: String) -> Result<User, AccountError> {
        let add = move |connection: &mut Connection| {
            let sql = "INSERT INTO users (name, hash, created) VALUES (?1, ?2, unixepoch())";
            connection.prepare_cached(sql)?.execute(params![name, hash])?;
            Ok(User { id: connection.last_insert_rowid().unsigned_abs(), name })
        };
        self.ask(add).await
    }

    pub(crate) async fn by_name(&self, name: String) -> Result<Option<Account>, AccountError> {
        let find = move |connection: &mut Connection| {
            let mut found = connection.prepare_cached("SELECT id, name, hash FROM users WHERE name = ?1")?;
            found.query_row([name], account).optional()
        };
        self.ask(find).await
    }

    pub(crate) async fn by_id(&self, id: u64) -> Result<Option<Account>, AccountError> {
        let find = move |connection: &mut Connection| {
            let mut found = connection.prepare_cached("SELECT id, name, hash FROM users WHERE id = ?1")?;
            // What does not fit is nobody's.
            found.query_row([i64::try_from(id).unwrap_or(-1)], account).optional()
        };
        self.ask(find).await
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), AccountError> {
        self.ask(|connection| connection.query_row("SELECT count(*) FROM users WHERE id = 0", [], |_| Ok(())))
            .await
    }

    /// Closes the file, or gives up after a while: it is all on disk anyway. The last process that does brings what is in the
    /// log beside the file into the file, and takes the log away. A process that ends does not wait for its threads, so
    /// that without this the log would stay.
    ///
    /// Cancel-safe: dropped, it may be closed.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let close = async {
            let mut job = Job::Close(done);
            // Those who do not wait any more may still be in the queue.
            while let Err(TrySendError::Full(back)) = self.jobs.try_send(job) {
                job = back;
                sleep(PAUSE).await;
            }
            let _ = closed.await;
        };
        let _ = timeout(PATIENCE, close).await;
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, AccountError> {
        let (done, answer) = oneshot::channel();
        let job = move |connection: &mut Connection| {
            if !done.is_closed() {
                let _ = done.send(what(connection));
            }
        };
        self.jobs.try_send(Job::Do(Box::new(job))).map_err(|error| match error {
            TrySendError::Full(_) => AccountError::Busy,
            // It is closed.
            TrySendError::Disconnected(_) => AccountError::Failed,
        })?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer.map_err(|error| judge(&error)),
            Ok(Err(_)) => Err(AccountError::Failed),
            Err(_) => Err(AccountError::Busy),
        }
    }
}

fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    let id: i64 = row.get(0)?;
    Ok(Account { user: User { id: id.unsigned_abs(), name: row.get(1)? }, hash: row.get(2)? })
}

fn judge(error: &rusqlite::Error) -> AccountError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => AccountError::Taken,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AccountError::Busy,
        _ => {
            // SQLite repeats no values in its errors.
            error!(%error, "the database fails");
            AccountError::Failed
        }
    }
}

/// Makes the file, if there is none, so that only this user can read it; SQLite makes those beside it alike. What goes
/// wrong here goes wrong there, too, and is told then.
fn private(path: &Path) {
    #[cfg(unix)]
    if path != Path::new(":memory:") {
        use std::os::unix::fs::OpenOptionsExt;
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY).map_err(OpenError::Sqlite)?;
    let (program, version, tables) = {
        let number =
            |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(OpenError::Sqlite);
        (
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        )
    };
    match (program, version) {
        (PROGRAM, 0..=VERSION) => {}
        (PROGRAM, _) => return Err(OpenError::Newer),
        (0, 0) if tables == 0 => {}
        _ => return Err(OpenError::Foreign),
    }
    make(connection).map_err(OpenError::Sqlite)
}

fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    // With a log beside the file, servers that read do not wait for one that writes. It stays off in memory.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Written even if nothing is new, so that a file that cannot be written is found out now.
    let making = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    making.execute_batch(
        "CREATE TABLE IF NOT EXISTS users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            hash TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT",
    )?;
    making.pragma_update(None, "application_id", PROGRAM)?;
    making.pragma_update(None, "user_version", VERSION)?;
    making.commit()
}

/// "ncap", which says whose file it is.
const PROGRAM: i64 = 0x6e63_6170;
const VERSION: i64 = 1;
/// Requests that wait for the thread.
const QUEUE: usize = 1024;
/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(2);
/// How long a request waits, all in all.
const PATIENCE: Duration = Duration::from_secs(4);
/// Until it is looked at again whether there is room in the queue.
const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests;
