//! What Redis does in one step.

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Script {
    Claim,
    Keep,
    Release,
    Find,
    List,
    Block,
}

/// The hashes by which the server knows the scripts. A server that has forgotten them while it ran has been told to: the
/// link ends then, and the next one loads them.
pub(super) struct Scripts([String; 6]);

impl Scripts {
    pub(super) async fn load(connection: &mut MultiplexedConnection) -> RedisResult<Self> {
        let mut pipe = Pipeline::with_capacity(SOURCES.len());
        for source in SOURCES {
            pipe.cmd("SCRIPT").arg("LOAD").arg([COMMON, source].concat());
        }
        let hashes: [String; 6] = pipe.query_async(connection).await?;
        Ok(Self(hashes))
    }

    pub(super) fn hash(&self, script: Script) -> &str {
        let Self([claim, keep, release, find, list, block]) = self;
        match script {
            Script::Claim => claim,
            Script::Keep => keep,
            Script::Release => release,
            Script::Find => find,
            Script::List => list,
            Script::Block => block,
        }
    }
}

const COMMON: &str = include_str!("common.lua");
const SOURCES: [&str; 6] = [
    include_str!("claim.lua"),
    include_str!("keep.lua"),
    include_str!("release.lua"),
    include_str!("find.lua"),
    include_str!("list.lua"),
    include_str!("block.lua"),
];
