//! Several nodes: names, topics and numbers, and a backplane that goes away and comes back. One suite for both backplanes:
//! in memory on a paused clock, and a Redis server that each test starts for itself.

mod absence;
mod blocks;
mod bounds;
mod common;
mod memory;
mod names;
mod nodes;
#[cfg(feature = "redis")]
mod proxy;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_only;
mod refusing;
mod topics;
mod workers;

/// Each of these tests on both backplanes.
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident)*) => {
        mod in_memory {
            $(#[tokio::test(start_paused = true)]
            $(#[$meta])*
            async fn $name() {
                super::$name(crate::memory::InMemory::new()).await;
            })*
        }
        #[cfg(feature = "redis")]
        mod on_redis {
            $(#[tokio::test]
            $(#[$meta])*
            async fn $name() {
                if let Some(world) = crate::redis::OnRedis::start().await {
                    super::$name(world).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;
