//! A backplane between processes, by Redis.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, PushKind, RedisWrite, ToRedisArgs, ToSingleRedisArg, Value,
};

use super::NodeId;
use super::backplane::{Answer, Backplane, Incoming, Link, LinkError, Op, Pending, Stake};

mod reply;
mod scripts;

use scripts::{Script, Scripts};

/// Names and topics in a Redis server, version 6 or later, or what speaks its language, with Lua scripts and RESP3. One
/// connection a node, for the messages in both directions and everything else, so that their order holds.
///
/// ```
/// use netcore::cluster::{Options, Redis};
///
/// let redis = Redis::new("redis://127.0.0.1:6379/0")?.prefix("chat:");
/// let (cluster, starter) = Options::new(redis).build();
/// # let _ = (cluster, starter); Ok::<(), netcore::cluster::RedisError>(())
/// ```
///
/// # What is in it
/// All keys and channels begin with the prefix, and every key expires by itself when no node renews it:
///
/// | key | what |
/// |---|---|
/// | `c:NAME` | who holds a name, and what is kept with it; expires with the name |
/// | `names` | all names, in order |
/// | `due` | all names, by when they expire |
/// | `block` | the end of the last block of numbers; expires after a day |
/// | `l:NODE` | which of its connections the node is at; expires an hour after that began |
///
/// Messages go over channels `t:TOPIC`, or `t1:TOPIC` in database 1, for the databases of a server share its channels. Names
/// survive what Redis itself survives: without a disk, a restart forgets them, and the nodes claim them anew.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    keys: Arc<Keys>,
}

/// What keys and channels are called.
struct Keys {
    names: String,
    due: String,
    block: String,
    claims: String,
    links: String,
    topics: String,
    displaced: String,
}

/// That is no address of a Redis server.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the address of a redis server: {0}")]
pub struct RedisError(String);

impl Redis {
    /// The server at `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, or `redis+unix:///SOCKET`. Nothing is connected
    /// yet.
    ///
    /// # Errors
    /// [`RedisError`] when that is no such address.
    pub fn new(url: &str) -> Result<Self, RedisError> {
        let info: ConnectionInfo = url.into_connection_info().map_err(|error| RedisError(words(&error)))?;
        let settings = info.redis_settings().clone();
        // Messages come as pushes, between the answers.
        let settings = settings.set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let client = Client::open(info).map_err(|error| RedisError(words(&error)))?;
        let keys = Keys::new("netcore:", client.get_connection_info());
        Ok(Self { client, keys: Arc::new(keys) })
    }

    /// What all keys and channels begin with, `netcore:` by default: those of one cluster, and of no other.
    ///
    /// Nothing in Redis says which version wrote it. Where a new version of a game keeps other values with its names, or sends
    /// other messages, give it a prefix of its own: the nodes of both can then run side by side, as two clusters.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.keys = Arc::new(Keys::new(prefix, self.client.get_connection_info()));
        self
    }
}

/// Where it is, without the password.
impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.client.get_connection_info().addr().to_string();
        f.debug_struct("Redis").field("address", &address).finish_non_exhaustive()
    }
}

impl Keys {
    fn new(prefix: &str, info: &ConnectionInfo) -> Self {
        let key = |name: &str| format!("{prefix}{name}");
        // Each database has its own keys, but Redis has its channels once for all of them.
        let channel = |name: &str| match info.redis_settings().db() {
            0 => format!("{prefix}{name}:"),
            database => format!("{prefix}{name}{database}:"),
        };
        Self {
            names: key("names"),
            due: key("due"),
            block: key("block"),
            claims: key("c:"),
            links: key("l:"),
            topics: channel("t"),
            displaced: channel("d"),
        }
    }
}

impl Backplane for Redis {
    fn connect(&self, node: NodeId, incoming: Incoming) -> Pending<'_, Result<Box<dyn Link>, LinkError>> {
        Box::pin(async move {
            let (keys, number) = (self.keys.clone(), incoming.link());
            let pushed = move |push| {
                hear(&keys, &incoming, push);
                Ok::<_, std::convert::Infallible>(())
            };
            // Deadlines are the cluster's.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None)
                .set_push_sender(pushed);
            let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
            let connection = connecting.await.map_err(|error| refused(&error))?;
            let link = RedisLink::new(connection, self.keys.clone(), node, number).await?;
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}

struct RedisLink {
    connection: MultiplexedConnection,
    scripts: Scripts,
    keys: Arc<Keys>,
    node: NodeId,
    hex: String,
    /// The key of the node's links, and which of them this is.
    fence: String,
    number: u64,
}

impl RedisLink {
    async fn new(
        mut connection: MultiplexedConnection,
        keys: Arc<Keys>,
        node: NodeId,
        number: u64,
    ) -> Result<Self, LinkError> {
        let scripts = Scripts::load(&mut connection).await.map_err(|error| refused(&error))?;
        let hex = node.to_string();
        let displaced = format!("{}{hex}", keys.displaced);
        connection.subscribe(displaced).await.map_err(|error| refused(&error))?;
        // From here on nothing is done any more of what the links before have written and is still on its way.
        let fence = format!("{}{hex}", keys.links);
        let set = redis::cmd("SET").arg(&fence).arg(number).arg("PX").arg(millis(KEEP_FENCE)).to_owned();
        set.exec_async(&mut connection).await.map_err(|error| refused(&error))?;
        Ok(Self { connection, scripts, keys, node, hex, fence, number })
    }

    fn write(&self, op: &Op, pipe: &mut Pipeline) {
        let keys = &self.keys;
        match op {
            Op::Ping => {
                pipe.cmd("PING");
            }
            Op::Publish { topic, body } => {
                let node = self.node.get().to_be_bytes();
                let mut publish =
                    Cmd::with_capacity(3, 15 + self.keys.topics.len() + topic.len() + body.len());
                publish.arg("PUBLISH").arg(self.topic(topic)).arg(Joined(&node, body));
                pipe.add_command(publish);
            }
            // One channel a command: one answer.
            Op::Subscribe(topic) => {
                pipe.cmd("SUBSCRIBE").arg(self.topic(topic));
            }
            Op::Unsubscribe(topic) => {
                pipe.cmd("UNSUBSCRIBE").arg(self.topic(topic));
            }
            Op::Claim { claim, within, ttl } => {
                let (begin, max) = within.as_ref().map_or(("", 0), |(begin, max)| (&**begin, *max));
                self.script(pipe, Script::Claim).arg(&keys.claims).arg(millis(*ttl)).arg(&self.hex);
                pipe.arg(self.number);
                stake(pipe, claim);
                pipe.arg(begin).arg(max);
            }
            Op::Keep { claims, ttl } => {
                let call = self.script(pipe, Script::Keep).arg(&keys.claims).arg(millis(*ttl));
                call.arg(&self.hex).arg(self.number).arg(&keys.displaced);
                for claim in claims {
                    stake(pipe, claim);
                }
            }
            Op::Release { name, mark } => {
                let call = self.script(pipe, Script::Release).arg(&keys.claims).arg(&self.hex);
                call.arg(&**name).arg(hex(*mark));
            }
            Op::Find(name) => {
                self.script(pipe, Script::Find).arg(&keys.claims).arg(&**name);
            }
            Op::List { prefix, limit } => {
                self.script(pipe, Script::List).arg(&keys.claims).arg(&**prefix).arg(*limit);
            }
            Op::Block { size, floor } => {
                self.script(pipe, Script::Block).arg(*size).arg(*floor).arg(millis(KEEP_BLOCK));
            }
        }
    }

    fn topic<'a>(&'a self, topic: &'a str) -> Joined<'a> {
        Joined(self.keys.topics.as_bytes(), topic.as_bytes())
    }

    fn script<'a>(&self, pipe: &'a mut Pipeline, script: Script) -> &'a mut Pipeline {
        let keys = &self.keys;
        let call = pipe.cmd("EVALSHA").arg(self.scripts.hash(script)).arg(4);
        call.arg(&keys.names).arg(&keys.due).arg(&keys.block).arg(&self.fence)
    }
}

impl Link for RedisLink {
    fn run(&mut self, ops: Vec<Op>) -> Pending<'static, Result<Vec<Answer>, LinkError>> {
        let mut pipe = Pipeline::with_capacity(ops.len());
        for op in &ops {
            self.write(op, &mut pipe);
        }
        let mut connection = self.connection.clone();
        Box::pin(async move {
            let count = ops.len();
            let values = connection.send_packed_commands(&pipe, 0, count).await;
            let values = values.map_err(|error| broken(&error))?;
            if values.len() != count {
                return Err(LinkError::Answer("another number of answers".into()));
            }
            ops.iter().zip(values).map(|(op, value)| reply::answer(op, value)).collect()
        })
    }
}

/// Two parts of one argument, without a buffer between.
struct Joined<'a>(&'a [u8], &'a [u8]);

impl ToRedisArgs for Joined<'_> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        // A command's buffer takes everything.
        let _ = argument.write_all(self.0).and_then(|()| argument.write_all(self.1));
    }
}

impl ToSingleRedisArg for Joined<'_> {}

/// Something came that was not asked for.
fn hear(keys: &Keys, incoming: &Incoming, PushInfo { kind, data }: PushInfo) {
    match kind {
        PushKind::Disconnection => incoming.lost(LinkError::Closed),
        PushKind::Message => {
            let mut data = data.into_iter();
            let (Some(Value::BulkString(channel)), Some(Value::BulkString(message))) =
                (data.next(), data.next())
            else {
                return;
            };
            let Ok(channel) = std::str::from_utf8(&channel) else { return };
            if let Some(topic) = channel.strip_prefix(&keys.topics) {
                let mut message = Bytes::from(message);
                // What others put on our channels is not a message of ours.
                if let Ok(node) = message.try_get_u64() {
                    incoming.deliver(topic, NodeId::new(node), message);
                }
            } else if channel.starts_with(&keys.displaced)
                && let Ok(name) = std::str::from_utf8(&message)
            {
                incoming.displaced(name);
            }
        }
        _ => {}
    }
}

fn stake(pipe: &mut Pipeline, claim: &Stake) {
    let age = millis(claim.age);
    pipe.arg(&*claim.name).arg(hex(claim.mark)).arg(age).arg(&*claim.value);
}

fn hex(mark: u64) -> String {
    format!("{mark:016x}")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn refused(error: &redis::RedisError) -> LinkError {
    LinkError::Refused(words(error))
}

fn broken(error: &redis::RedisError) -> LinkError {
    if error.is_connection_dropped() || error.is_io_error() {
        LinkError::Closed
    } else {
        LinkError::Answer(words(error))
    }
}

/// What an error says, on one line.
fn words(error: &redis::RedisError) -> String {
    error.to_string().replace(['\r', '\n'], " ")
}

/// Longer than a network or a kernel keeps what it could not deliver.
const KEEP_FENCE: Duration = Duration::from_secs(3600);
/// Longer than a node is without a block in practice; a counter that has gone is no harm.
const KEEP_BLOCK: Duration = Duration::from_secs(24 * 3600);
