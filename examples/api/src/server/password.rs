//! Passwords become hashes that are slow to guess from, so many at a time.
//!
//! On threads of their own, each with its memory, and not by `spawn_blocking`: that takes new threads while old ones end, and
//! the allocator keeps several times 19 MiB of each, so that forty log-ins at once left half a gigabyte behind.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::Rng;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::error;

/// Hashes and verifies; cheap to clone. The threads end with the last of them.
#[derive(Clone)]
pub(crate) struct Passwords {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
}

/// Gets the memory of its thread.
type Job = Box<dyn FnOnce(&mut Memory) + Send>;
type Memory = Vec<Block>;

struct Shared {
    /// What a password is compared with when there is no account, so that this takes as long as when there is one.
    nobody: String,
    waiting: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("too many passwords are being checked")]
    Busy,
    #[error("hashing fails")]
    Failed,
}

impl Passwords {
    /// So many at a time; each takes 19 MiB of memory and some 20 ms of a core.
    pub(crate) fn new(at_once: usize) -> Result<Self, PasswordError> {
        let nobody = hash(&crate::server::secret::session(), &mut Memory::new())?;
        let (jobs, come) = sync_channel(QUEUE);
        let come = Arc::new(Mutex::new(come));
        for _ in 0..at_once {
            let come = come.clone();
            let thread = thread::Builder::new().name("password".to_owned()).spawn(move || work(&come));
            thread.map_err(|error| failed(&error))?;
        }
        Ok(Self { jobs, shared: Arc::new(Shared { nobody, waiting: AtomicUsize::new(0) }) })
    }

    /// Cancel-safe: what was begun ends unseen.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(move |_, memory| hash(&password, memory)).await
    }

    /// Whether it is the password; without a hash it never is, after the same time. Cancel-safe.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        let verify = move |shared: &Shared, memory: &mut Memory| {
            let right = matches(&password, hash.as_deref().unwrap_or(&shared.nobody), memory)?;
            Ok(right && hash.is_some())
        };
        self.run(verify).await
    }

    /// How many are being hashed or wait.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Place::take(&self.shared)?;
        let (done, hashed) = oneshot::channel();
        let shared = self.shared.clone();
        let job = move |memory: &mut Memory| {
            // Who has gone, or has waited too long, does not want it any more.
            if !done.is_closed() {
                let _ = done.send(work(&shared, memory));
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| PasswordError::Busy)?;
        match timeout(PATIENCE, hashed).await {
            Ok(hashed) => hashed.unwrap_or(Err(PasswordError::Failed)),
            Err(_) => Err(PasswordError::Busy),
        }
    }
}

fn work(come: &Mutex<Receiver<Job>>) {
    let mut memory = Memory::new();
    loop {
        // The lock is free again before the job runs.
        let job = come.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut memory),
            Err(_) => return,
        }
    }
}

/// One of those who wait or are served.
struct Place<'a>(&'a Shared);

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Result<Self, PasswordError> {
        if shared.waiting.fetch_add(1, Relaxed) >= QUEUE {
            shared.waiting.fetch_sub(1, Relaxed);
            return Err(PasswordError::Busy);
        }
        Ok(Self(shared))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

/// As a PHC string: `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
fn hash(password: &str, memory: &mut Memory) -> Result<String, PasswordError> {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let mut make = || {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(LENGTH))?;
        let written = ParamsString::try_from(&params)?;
        let hash = derive(params, password, &salt, memory)?;
        let (algorithm, version) = (Algorithm::Argon2id.ident(), Some(Version::V0x13.into()));
        let (salt, hash) = (Some(Salt::new(&salt)?), Some(Output::new(&hash)?));
        Ok(PasswordHash { algorithm, version, params: written, salt, hash }.to_string())
    };
    make().map_err(|error: Box<dyn Error>| failed(&error))
}

/// Whether the password has that hash, by the parameters that are written in it.
fn matches(password: &str, hash: &str, memory: &mut Memory) -> Result<bool, PasswordError> {
    let mut compare = || {
        let hash = PasswordHash::new(hash)?;
        let ours =
            hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
        let (true, Some(salt), Some(right)) = (ours, &hash.salt, &hash.hash) else {
            return Err("not ours".into());
        };
        let made = derive(Params::try_from(&hash)?, password, salt.as_ref(), memory)?;
        Ok(made.ct_eq(right.as_bytes()).into())
    };
    compare().map_err(|error: Box<dyn Error>| failed(&error))
}

fn derive(
    params: Params,
    password: &str,
    salt: &[u8],
    memory: &mut Memory,
) -> Result<Vec<u8>, argon2::Error> {
    memory.resize(params.block_count(), Block::default());
    let mut hash = vec![0; params.output_len().unwrap_or(LENGTH)];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut memory[..])?;
    Ok(hash)
}

fn failed(error: &dyn std::fmt::Display) -> PasswordError {
    error!(%error, "hashing a password fails");
    PasswordError::Failed
}

/// The least that OWASP advises for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a hash.
const LENGTH: usize = 32;
/// Above so many, one is told to come back later.
const QUEUE: usize = 128;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let passwords = Passwords::new(2).unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash("correct horse".to_owned()).await.unwrap(), hash);
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct house".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".to_owned(), None).await.unwrap());
        assert_eq!(
            passwords.verify("x".to_owned(), Some("no hash".to_owned())).await,
            Err(PasswordError::Failed)
        );
    }

    #[test]
    fn a_hash_is_what_any_other_program_makes_of_it() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};

        let mut memory = Memory::new();
        let argon2 = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap(),
        );
        let ours = hash("correct horse", &mut memory).unwrap();
        assert!(argon2.verify_password(b"correct horse", &PasswordHash::new(&ours).unwrap()).is_ok());
        let theirs =
            argon2.hash_password_with_salt(b"correct horse", b"0123456789abcdef").unwrap().to_string();
        assert!(matches("correct horse", &theirs, &mut memory).unwrap());
        assert!(!matches("correct house", &theirs, &mut memory).unwrap());
        // With other parameters, too; and afterwards with ours.
        let small = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let small = small.hash_password_with_salt(b"correct horse", b"0123456789abcdef").unwrap().to_string();
        assert!(matches("correct horse", &small, &mut memory).unwrap());
        assert!(matches("correct horse", &ours, &mut memory).unwrap());
    }

    #[tokio::test]
    async fn more_than_wait_are_told_to_come_back() {
        let passwords = Passwords::new(1).unwrap();
        let places: Vec<_> = (0..QUEUE).map(|_| Place::take(&passwords.shared).unwrap()).collect();
        assert_eq!(passwords.hash("x".to_owned()).await, Err(PasswordError::Busy));
        assert_eq!(passwords.waiting(), QUEUE);
        drop(places);
        assert!(passwords.hash("x".to_owned()).await.is_ok());
        assert_eq!(passwords.waiting(), 0);
    }
}
