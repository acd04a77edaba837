//! In Redis, version 6 or later, which several API servers share. Every key expires by itself:
//!
//! | key | what | expires |
//! |---|---|---|
//! | `PREFIX` `s:USER`, `PREFIX` `t:USER` | a user's sessions, tokens: a sorted set, by when each ends | with the last of them |
//! | `PREFIX` `l:LIMIT:WHO` | when the credit of a name or an address is whole again, in microseconds | then: within a minute |
//! | `PREFIX` `w1:GAME` | a game's world: 16 characters that are new at each change, and the world as JSON | an hour after the last change |

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisError};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use super::worlds::Worlds;
use super::{Kind, Outcome, Pending, Store, StoreError};
use crate::server::limiter::MINUTE;
use crate::server::world::{Op, Rules};

/// A Redis server.
pub(crate) struct Redis {
    link: Arc<Link>,
    worlds: Worlds,
}

impl Redis {
    /// The server at `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`. Nothing is connected yet. Must be called within a
    /// runtime.
    pub(crate) fn new(url: &str, prefix: &str, rules: Rules) -> Result<Self, RedisError> {
        let link = Arc::new(Link::new(Client::open(url)?, prefix));
        Ok(Self { worlds: Worlds::start(link.clone(), rules), link })
    }

    async fn secret<T: FromRedisValue>(
        &self,
        script: &str,
        kind: Kind,
        user: u64,
        args: &[&str],
    ) -> Result<T, StoreError> {
        let kind = match kind {
            Kind::Session => "s",
            Kind::Token => "t",
        };
        self.run([CLOCK, GOOD, script].concat(), &format!("{kind}:{user}"), args).await
    }

    async fn limit<T: FromRedisValue>(
        &self,
        script: &str,
        limit: &str,
        key: &str,
        each: u64,
    ) -> Result<T, StoreError> {
        let args = [&*each.to_string(), &MINUTE.to_string()];
        self.run([CLOCK, script].concat(), &format!("l:{limit}:{key}"), &args).await
    }

    async fn run<T: FromRedisValue>(
        &self,
        script: String,
        key: &str,
        args: &[&str],
    ) -> Result<T, StoreError> {
        let mut call = redis::cmd("EVAL");
        call.arg(script).arg(1).arg(self.link.key(key)).arg(args);
        self.link.ask(&call).await
    }
}

impl Store for Redis {
    fn issue(&self, kind: Kind, user: u64, secret: &str, ttl: Duration) -> Pending<'_, ()> {
        let (secret, ttl, most) = (secret.to_owned(), ttl.as_millis().to_string(), kind.most().to_string());
        Box::pin(async move { self.secret(ISSUE, kind, user, &[&secret, &ttl, &most]).await })
    }

    fn check(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool> {
        let secret = secret.to_owned();
        Box::pin(async move { self.secret(CHECK, kind, user, &[&secret]).await })
    }

    fn take(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool> {
        let secret = secret.to_owned();
        Box::pin(async move { self.secret(TAKE, kind, user, &[&secret]).await })
    }

    fn spend(&self, limit: &'static str, key: &str, each: u64) -> Pending<'_, Result<(), Duration>> {
        let key = key.to_owned();
        Box::pin(async move {
            let over: u64 = self.limit(SPEND, limit, &key, each).await?;
            Ok(if over == 0 { Ok(()) } else { Err(Duration::from_micros(over)) })
        })
    }

    fn give_back(&self, limit: &'static str, key: &str, each: u64) -> Pending<'_, ()> {
        let key = key.to_owned();
        Box::pin(async move { self.limit(GIVE_BACK, limit, &key, each).await })
    }

    fn change(&self, game: &str, op: Op) -> Pending<'_, Outcome> {
        let game = game.to_owned();
        Box::pin(async move { self.worlds.change(game, op).await })
    }

    fn ping(&self) -> Pending<'_, ()> {
        Box::pin(async move { self.link.ask(&redis::cmd("PING")).await })
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// One connection, made anew when it is needed and has broken.
pub(super) struct Link {
    client: Client,
    prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that what went wrong on an old one does not end the new one.
    number: u64,
    /// Until then nobody tries: a server that is away is not asked by every request.
    away_until: Option<Instant>,
    /// Whether its absence has been told.
    told: bool,
}

impl Link {
    fn new(client: Client, prefix: &str) -> Self {
        Self { client, prefix: prefix.to_owned(), state: Mutex::default() }
    }

    pub(super) fn key(&self, name: &str) -> String {
        [&self.prefix, name].concat()
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let (mut connection, number) = self.connection().await?;
        let answer = command.query_async(&mut connection).await;
        self.judge(number, answer).await
    }

    pub(super) async fn ask_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        let (mut connection, number) = self.connection().await?;
        let answer = commands.query_async(&mut connection).await;
        self.judge(number, answer).await
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), StoreError> {
        // Held while it connects: those who wait for it have their answer with it.
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((connection.clone(), state.number));
        }
        if state.away_until.is_some_and(|until| Instant::now() < until) {
            return Err(StoreError::Away);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                state.connection = Some(connection.clone());
                state.number += 1;
                if std::mem::take(&mut state.told) {
                    info!("redis is back");
                }
                Ok((connection, state.number))
            }
            Err(error) => {
                state.is_away(&error);
                Err(StoreError::Away)
            }
        }
    }

    async fn judge<T>(&self, number: u64, answer: Result<T, RedisError>) -> Result<T, StoreError> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let mut state = self.state.lock().await;
        if state.number == number && state.connection.take().is_some() {
            state.is_away(&error);
        }
        Err(StoreError::Away)
    }
}

impl State {
    fn is_away(&mut self, error: &RedisError) {
        self.away_until = Some(Instant::now() + PAUSE);
        if !std::mem::replace(&mut self.told, true) {
            // Redis repeats neither keys nor values in its errors; the address has no password in it.
            warn!(%error, "redis is away; what needs it is refused");
        }
    }
}

const CLOCK: &str = "
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
";

const GOOD: &str = "
local function good(secret)
  local ends = redis.call('ZSCORE', KEYS[1], secret)
  return ends and tonumber(ends) > now
end
";

/// Secret, how long it is good, how many there may be.
const ISSUE: &str = "
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.status_reply('OK')
";

const CHECK: &str = "return good(ARGV[1]) and 1 or 0";

const TAKE: &str = "
local was = good(ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
return was and 1 or 0
";

/// What one costs, and how much there is, in microseconds. A clock that was set back does not lock anybody out for longer
/// than that. Numbers of this size are written out in full: Lua would round them.
const SPEND: &str = "
local micros, most = clock[1] * 1000000 + clock[2], tonumber(ARGV[2])
local whole = tonumber(redis.call('GET', KEYS[1]) or 0)
whole = math.min(math.max(whole, micros), micros + most) + ARGV[1]
if whole - micros > most then return whole - micros - most end
redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.ceil((whole - micros) / 1000))
return 0
";

const GIVE_BACK: &str = "
local micros = clock[1] * 1000000 + clock[2]
local whole = tonumber(redis.call('GET', KEYS[1]) or 0) - ARGV[1]
if whole > micros then
  redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.ceil((whole - micros) / 1000))
else
  redis.call('DEL', KEYS[1])
end
return redis.status_reply('OK')
";

/// For a connection, and for an answer.
const PATIENCE: Duration = Duration::from_millis(750);
/// After so long a Redis that was away is tried again.
const PAUSE: Duration = Duration::from_millis(250);
