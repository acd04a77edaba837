//! Messages between two nodes over Redis, beside the bare client of the same crate: deliveries a second in a pipeline, and
//! the time from one node to the other and back.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use netcore::cluster::{Cluster, Event, Events, Options, PublishError, Redis};
use netcore_benches::host;
use netcore_benches::scenario::options::{self, median};
use netcore_benches::scenario::process;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let options = options::Options::from_args();
    let Some(server) = Server::start()? else {
        println!("skipped: there is no `redis-server` on this machine");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (messages, trips) = if options.test { (1_000, 10) } else { (200_000, 5_000) };
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        bare.push(runtime.block_on(bare_client(&server.url, messages, trips))?);
        ours.push(runtime.block_on(cluster(&server.url, messages, trips))?);
    }
    if options.test {
        println!("cluster: both, each once");
        return Ok(());
    }
    host::print();
    println!(
        "{messages} messages of {BODY} bytes, {trips} round trips; medians of {} rounds",
        options.rounds
    );
    let ratio = |part: fn(&Measured) -> Duration| {
        median(bare.iter().zip(&ours).map(|(bare, ours)| part(ours).as_secs_f64() / part(bare).as_secs_f64()))
    };
    let each = |all: &[Measured], part: fn(&Measured) -> Duration| {
        median(all.iter().map(|one| part(one).as_secs_f64() * 1e6))
    };
    println!("| | bare client | cluster | time of bare |");
    println!("|---|---|---|---|");
    for (name, part) in [
        ("a message in a pipeline", (|one: &Measured| one.message) as fn(&Measured) -> Duration),
        ("its time on a core, both nodes", |one| one.cpu),
        ("a round trip", |one| one.trip),
    ] {
        println!(
            "| {name} | {:.2} µs | {:.2} µs | {:.2} |",
            each(&bare, part),
            each(&ours, part),
            ratio(part)
        );
    }
    Ok(())
}

/// The time for each, and for a message the time on a core of this process, both nodes.
struct Measured {
    message: Duration,
    cpu: Duration,
    trip: Duration,
}

fn cpu() -> Duration {
    process::spent(std::process::id()).unwrap_or_default()
}

async fn bare_client(url: &str, messages: u32, trips: u32) -> Result<Measured, Failure> {
    let client = Client::open(format!("{url}?protocol=resp3"))?;
    let (mut near, mut near_hears) = connect(&client, "near").await?;
    let (mut far, mut far_hears) = connect(&client, "far").await?;
    let body = vec![b'x'; BODY];

    let (start, before) = (Instant::now(), cpu());
    let hearing = async {
        for _ in 0..messages {
            heard(&mut far_hears).await;
        }
    };
    let speaking = async {
        // As many under way as a cluster has: four batches of 256.
        let mut under_way: VecDeque<BoxFuture<'static, RedisResult<()>>> = VecDeque::new();
        let mut left = messages;
        while left > 0 {
            let count = left.min(256);
            left -= count;
            let mut pipe = Pipeline::with_capacity(count as usize);
            for _ in 0..count {
                pipe.cmd("PUBLISH").arg("far").arg(&body).ignore();
            }
            let mut connection = near.clone();
            let task = tokio::spawn(async move { pipe.exec_async(&mut connection).await });
            under_way.push_back(Box::pin(async { task.await.expect("it does not panic") }));
            if under_way.len() == 4
                && let Some(first) = under_way.pop_front()
            {
                first.await?;
            }
        }
        for last in under_way {
            last.await?;
        }
        RedisResult::Ok(())
    };
    let ((), spoken) = tokio::join!(hearing, speaking);
    spoken?;
    let (message, cpu) = (start.elapsed() / messages, (cpu() - before) / messages);

    let echo = tokio::spawn(async move {
        for _ in 0..trips {
            let body = heard(&mut far_hears).await;
            publish(&mut far, "near", &body).await?;
        }
        RedisResult::Ok(())
    });
    let start = Instant::now();
    for _ in 0..trips {
        publish(&mut near, "far", &body).await?;
        heard(&mut near_hears).await;
    }
    let trip = start.elapsed() / trips;
    echo.await??;
    Ok(Measured { message, cpu, trip })
}

async fn connect(
    client: &Client,
    channel: &str,
) -> RedisResult<(MultiplexedConnection, UnboundedReceiver<PushInfo>)> {
    let (sender, receiver) = unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(sender).set_response_timeout(None);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    connection.subscribe(channel).await?;
    Ok((connection, receiver))
}

async fn publish(connection: &mut MultiplexedConnection, channel: &str, body: &[u8]) -> RedisResult<()> {
    redis::cmd("PUBLISH").arg(channel).arg(body).exec_async(connection).await
}

async fn heard(pushes: &mut UnboundedReceiver<PushInfo>) -> Vec<u8> {
    loop {
        let push = pushes.recv().await.expect("the connection is there");
        if push.kind == PushKind::Message
            && let Some(Value::BulkString(body)) = push.data.into_iter().nth(1)
        {
            return body;
        }
    }
}

async fn cluster(url: &str, messages: u32, trips: u32) -> Result<Measured, Failure> {
    let node = || -> Result<(Cluster, Events), Failure> {
        let (cluster, starter) = Options::new(Redis::new(url)?).inbound(messages as usize, 1 << 30).build();
        Ok((cluster, starter.start_events()))
    };
    let (near, mut near_hears) = node()?;
    let (far, mut far_hears) = node()?;
    near.subscribe("near")?;
    far.subscribe("far")?;
    near.settled().await?;
    far.settled().await?;
    let body = bytes::Bytes::from(vec![b'x'; BODY]);

    let (start, before) = (Instant::now(), cpu());
    let hearing = async {
        for _ in 0..messages {
            message(&mut far_hears).await;
        }
    };
    let speaking = async {
        // As the bare client does: the answer to four batches of 256 ago is there before the next one goes.
        let mut under_way = VecDeque::new();
        for n in 1..=messages {
            near.publish("far", body.clone()).expect("there is room");
            if n % 256 == 0 {
                under_way.push_back(near.settled());
            }
            if under_way.len() == 4
                && let Some(first) = under_way.pop_front()
            {
                first.await.expect("the server is there");
            }
        }
    };
    tokio::join!(hearing, speaking);
    let (message_time, cpu) = (start.elapsed() / messages, (cpu() - before) / messages);

    let handle = far.clone();
    let echo = tokio::spawn(async move {
        for _ in 0..trips {
            let body = message(&mut far_hears).await;
            handle.publish("near", body)?;
        }
        Ok::<(), PublishError>(())
    });
    let start = Instant::now();
    for _ in 0..trips {
        near.publish("far", body.clone())?;
        message(&mut near_hears).await;
    }
    let trip = start.elapsed() / trips;
    echo.await??;
    for node in [near, far] {
        node.shutdown().await;
    }
    Ok(Measured { message: message_time, cpu, trip })
}

async fn message(events: &mut Events) -> bytes::Bytes {
    loop {
        if let Event::Message { body, .. } = events.recv().await.expect("the node is there") {
            return body;
        }
    }
}

/// A Redis server of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Result<Option<Self>, Failure> {
        // TCP as in production; the port is this process's, below those that the system gives away.
        for port in (20_000..30_000).skip(std::process::id() as usize % 9_000).take(50) {
            let mut command = Command::new("redis-server");
            command.args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ]);
            let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
            let Ok(mut child) = started else { return Ok(None) };
            let Some(stdout) = child.stdout.take() else { return Ok(None) };
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if lines.any(|line| line.contains("Ready to accept connections")) {
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Some(Self { child, url: format!("redis://127.0.0.1:{port}/") }));
            }
            child.wait()?;
        }
        Err("no port is free".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BODY: usize = 64;
