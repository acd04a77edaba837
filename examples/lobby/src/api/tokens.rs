//! The gate: whoever shows a token of the API server comes in.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::api::{RedeemError, Token, User};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::{debug, info, warn};

use super::ApiFlags;
use crate::{Code, Gate, Name, Verdict};

/// Asks the API server about each token, so many at once and for so long. Nobody is let in while it does not answer: with
/// [`Code::ApiAway`], and not with [`Code::BadToken`], for which a client would ask its user.
pub(crate) struct Tokens {
    redeem: Box<dyn Fn(Name, String) -> Redeeming + Send + Sync>,
    time: Duration,
    room: Arc<Semaphore>,
    visitors: Arc<Visitors>,
}

type Redeeming = Pin<Box<dyn Future<Output = Result<User, RedeemError>> + Send>>;

impl Tokens {
    pub(crate) fn new<F>(
        redeem: impl Fn(Name, String) -> F + Send + Sync + 'static,
        flags: &ApiFlags,
        visitors: Arc<Visitors>,
    ) -> Self
    where
        F: Future<Output = Result<User, RedeemError>> + Send + 'static,
    {
        Self {
            redeem: Box::new(move |name, token| Box::pin(redeem(name, token))),
            time: Duration::from_millis(flags.api_ms.into()),
            room: Arc::new(Semaphore::new(flags.api_logins as usize)),
            visitors,
        }
    }
}

impl Gate for Tokens {
    fn ask(&self, name: &Name, password: &Bytes) -> Verdict {
        // What cannot be a token, a password say, goes nowhere.
        let Some(token) = std::str::from_utf8(password).ok().filter(|text| Token::is_text(text)) else {
            self.visitors.refused.fetch_add(1, Relaxed);
            return Verdict::Now(Err(Code::BadToken));
        };
        let Ok(permit) = self.room.clone().try_acquire_owned() else {
            self.visitors.busy.fetch_add(1, Relaxed);
            // They all wait for one that does not answer, or too many came at once.
            let away = self.visitors.is_away.load(Relaxed);
            return Verdict::Now(Err(if away { Code::ApiAway } else { Code::Busy }));
        };
        let asking = (self.redeem)(name.clone(), token.to_owned());
        let (visitors, name, time) = (self.visitors.clone(), name.clone(), self.time);
        Verdict::Later(Box::pin(async move {
            let answer = timeout(time, asking).await;
            drop(permit);
            match answer {
                Ok(Ok(user)) => visitors.let_in(name, user.id),
                Ok(Err(RedeemError::BadToken)) => visitors.refuse(),
                Ok(Err(error)) => visitors.away(&error),
                Err(_) => visitors.away(&"it does not answer in time"),
            }
        }))
    }

    fn guests(&self) -> bool {
        false
    }
}

/// What came of the log-ins by token since the server started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LogIns {
    /// Let in.
    pub let_in: u64,
    /// Refused: not a token of that user.
    pub refused: u64,
    /// Refused because the API server did not answer, or not with yes or no.
    pub away: u64,
    /// Refused because too many were waiting for its answers.
    pub busy: u64,
    /// How many are on their way now: let in, and in no room yet.
    pub coming: u64,
    /// Let in, but the API server will not hear that they have come: too many were on their way.
    pub coming_over: u64,
}

/// Who was let in, and how it went.
#[derive(Debug)]
pub(crate) struct Visitors {
    // As many newcomers at most.
    most: usize,
    /// Those whom the API server does not know to have come yet: their ids there, and since when.
    newcomers: Mutex<HashMap<Name, (u64, Instant)>>,
    is_away: AtomicBool,
    let_in: AtomicU64,
    refused: AtomicU64,
    away: AtomicU64,
    busy: AtomicU64,
    over: AtomicU64,
}

impl Visitors {
    pub(crate) fn new(flags: &ApiFlags) -> Self {
        Self {
            most: flags.api_coming as usize,
            newcomers: Mutex::default(),
            is_away: AtomicBool::new(false),
            let_in: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            away: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            over: AtomicU64::new(0),
        }
    }

    fn let_in(&self, name: Name, id: u64) -> Result<(), Code> {
        self.answered();
        self.let_in.fetch_add(1, Relaxed);
        let mut newcomers = self.newcomers();
        // The seat that is kept for one over the bound is free when its time is up.
        if newcomers.len() < self.most || newcomers.contains_key(&name) {
            newcomers.insert(name, (id, Instant::now()));
        } else {
            self.over.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn refuse(&self) -> Result<(), Code> {
        self.answered();
        self.refused.fetch_add(1, Relaxed);
        Err(Code::BadToken)
    }

    fn away(&self, error: &(dyn std::fmt::Display + Sync)) -> Result<(), Code> {
        self.away.fetch_add(1, Relaxed);
        // Once; then it is known.
        if self.is_away.swap(true, Relaxed) {
            debug!(%error, "nobody can log in");
        } else {
            warn!(%error, "nobody can log in until the api server answers");
        }
        Err(Code::ApiAway)
    }

    fn answered(&self) {
        if self.is_away.swap(false, Relaxed) {
            info!("the api server answers: users can log in");
        }
    }

    /// Takes the ids of those who `have_come`. Whoever takes longer than a seat is kept is forgotten.
    pub(super) fn take(&self, have_come: impl Fn(&Name) -> bool) -> Vec<u64> {
        let mut entered = Vec::new();
        let now = Instant::now();
        self.newcomers().retain(|name, (id, since)| {
            let has_come = have_come(name);
            if has_come {
                entered.push(*id);
            }
            !has_come && now.duration_since(*since) < FORGOTTEN
        });
        entered
    }

    pub(super) fn log_ins(&self) -> LogIns {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        LogIns {
            let_in: count(&self.let_in),
            refused: count(&self.refused),
            away: count(&self.away),
            busy: count(&self.busy),
            coming: self.newcomers().len() as u64,
            coming_over: count(&self.over),
        }
    }

    fn newcomers(&self) -> MutexGuard<'_, HashMap<Name, (u64, Instant)>> {
        // Nothing panics under this lock.
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longer than a seat is kept unless the API server's operator says otherwise.
const FORGOTTEN: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const TOKEN: &str = "Zm9v-mFyYm_6cXV4";

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).unwrap()
    }

    fn ask(gate: &Tokens, who: &str, token: &str) -> Verdict {
        gate.ask(&name(who), &Bytes::copy_from_slice(token.as_bytes()))
    }

    #[track_caller]
    fn later(verdict: Verdict) -> Pin<Box<dyn Future<Output = Result<(), Code>> + Send>> {
        match verdict {
            Verdict::Later(asking) => asking,
            Verdict::Now(verdict) => panic!("at once: {verdict:?}"),
        }
    }

    #[track_caller]
    fn now(verdict: Verdict) -> Code {
        match verdict {
            Verdict::Now(Err(code)) => code,
            other => panic!("not refused at once: {other:?}"),
        }
    }

    /// An API server on which each user has an answer: `slow` one in 10 seconds, `away` none.
    fn gate(flags: &ApiFlags) -> (Tokens, Arc<Visitors>) {
        let visitors = Arc::new(Visitors::new(flags));
        let redeem = |name: Name, _: String| async move {
            match name.as_str() {
                "ann" => Ok(User { id: 7, name: "ann".into() }),
                "slow" => {
                    sleep(Duration::from_secs(10)).await;
                    Ok(User { id: 8, name: "slow".into() })
                }
                "away" => Err(RedeemError::Unavailable(::api::ApiError::Away("gone".into()))),
                _ => Err(RedeemError::BadToken),
            }
        };
        (Tokens::new(redeem, flags, visitors.clone()), visitors)
    }

    #[tokio::test(start_paused = true)]
    async fn the_api_server_decides_and_its_being_away_is_not_the_users_fault() {
        let (gate, visitors) = gate(&ApiFlags::default());
        assert!(!gate.guests());
        assert_eq!(later(ask(&gate, "ann", TOKEN)).await, Ok(()));
        assert_eq!(later(ask(&gate, "bob", TOKEN)).await, Err(Code::BadToken));
        assert_eq!(later(ask(&gate, "away", TOKEN)).await, Err(Code::ApiAway));
        let expected = LogIns { let_in: 1, refused: 1, away: 1, coming: 1, ..LogIns::default() };
        assert_eq!(visitors.log_ins(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_a_token_is_refused_without_asking() {
        let (gate, visitors) = gate(&ApiFlags::default());
        for wrong in ["", "secret", "Zm9v-mFyYm_6cXV", "Zm9v-mFyYm_6cXV4x", "Zm9v-mFyYm_6cXV+", "가나다라마x"]
        {
            assert_eq!(now(ask(&gate, "ann", wrong)), Code::BadToken, "{wrong}");
        }
        let not_text = gate.ask(&name("ann"), &Bytes::from_static(&[0xff; 16]));
        assert_eq!((now(not_text), visitors.log_ins().refused), (Code::BadToken, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_in_waits_for_so_long_and_no_longer() {
        for (millis, verdict, took) in [(9_999, Err(Code::ApiAway), 9_999), (10_001, Ok(()), 10_000)] {
            let (gate, _) = gate(&ApiFlags { api_ms: millis, ..ApiFlags::default() });
            let began = Instant::now();
            assert_eq!(later(ask(&gate, "slow", TOKEN)).await, verdict);
            assert_eq!(began.elapsed(), Duration::from_millis(took));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_log_ins_wait_at_once_and_one_more_is_told_so() {
        let (gate, visitors) = gate(&ApiFlags { api_logins: 2, ..ApiFlags::default() });
        let first = later(ask(&gate, "slow", TOKEN));
        let second = later(ask(&gate, "slow", TOKEN));
        assert_eq!(now(ask(&gate, "ann", TOKEN)), Code::Busy);
        // Whoever goes away makes room.
        drop(first);
        let third = later(ask(&gate, "slow", TOKEN));
        assert_eq!(second.await, Err(Code::ApiAway), "after 5 s");
        let fourth = later(ask(&gate, "slow", TOKEN));
        // They are many because it does not answer.
        assert_eq!(now(ask(&gate, "ann", TOKEN)), Code::ApiAway);
        drop((third, fourth));
        assert_eq!(later(ask(&gate, "ann", TOKEN)).await, Ok(()));
        let _waiting = [later(ask(&gate, "slow", TOKEN)), later(ask(&gate, "slow", TOKEN))];
        assert_eq!(now(ask(&gate, "ann", TOKEN)), Code::Busy, "it answers again");
        assert_eq!(visitors.log_ins().busy, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_come_is_reported_once_and_who_does_not_come_is_forgotten() {
        let (gate, visitors) = gate(&ApiFlags::default());
        later(ask(&gate, "ann", TOKEN)).await.unwrap();
        assert!(visitors.take(|_| false).is_empty());
        assert_eq!(visitors.take(|name| name.as_str() == "ann"), [7u64]);
        assert!(visitors.take(|_| true).is_empty());
        later(ask(&gate, "ann", TOKEN)).await.unwrap();
        advance(FORGOTTEN).await;
        assert!(visitors.take(|_| false).is_empty());
        assert!(visitors.take(|_| true).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_too_many_do_is_let_in_and_counted() {
        let visitors = Visitors::new(&ApiFlags { api_coming: 2, ..ApiFlags::default() });
        for (who, coming, over) in [("ann", 1, 0), ("bob", 2, 0), ("kim", 2, 1), ("bob", 2, 1)] {
            assert_eq!(visitors.let_in(name(who), 7), Ok(()));
            let told = visitors.log_ins();
            assert_eq!((told.coming, told.coming_over), (coming, over), "{who}");
        }
        assert_eq!(visitors.take(|_| true).len(), 2);
        assert_eq!((visitors.log_ins().let_in, visitors.log_ins().coming), (4, 0));
    }
}
