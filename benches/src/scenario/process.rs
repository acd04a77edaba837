//! The processes of a scenario, and what they cost.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ROLE, Role};

/// A server in a process of its own. Dropped, it ends.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    child: Child,
    // While it is open, the server serves.
    input: Option<ChildStdin>,
}

impl Server {
    /// Starts a server on those cores, if processes can be bound to cores.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(role: &Role, cores: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = command(role, cores)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| format!("{role:?} did not start"))?;
        let input = child.stdin.take();
        Ok(Self { address, pid: child.id(), child, input })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Runs a load to its end; what it says.
///
/// # Errors
/// When it fails.
pub fn load<T: DeserializeOwned>(role: &Role, cores: &str) -> Result<T, Box<dyn Error>> {
    let output = command(role, cores)?.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{role:?}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What a load says at its end.
///
/// # Errors
/// When nobody listens.
pub fn say(result: &impl Serialize) -> Result<(), Box<dyn Error>> {
    println!("{}", serde_json::to_string(result)?);
    Ok(())
}

/// What a server says when it listens; then waits until it is not needed any more, and ends the process.
///
/// # Errors
/// When nobody listens.
pub fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout();
    writeln!(output, "{address}")?;
    output.flush()?;
    let _ = std::io::stdin().read(&mut [0])?;
    std::process::exit(0)
}

/// [`serve`] beside a runtime's tasks.
///
/// # Errors
/// When nobody listens.
pub async fn serve_until_done(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let served = tokio::task::spawn_blocking(move || serve(address).map_err(|error| error.to_string()));
    served.await?.map_err(Into::into)
}

/// Whether processes can be bound to cores here.
#[must_use]
pub fn pins() -> bool {
    let taskset = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    cores() >= 2 && taskset.is_ok_and(|status| status.success())
}

/// How many cores there are.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many files a process of a scenario may have open.
#[must_use]
pub fn descriptors() -> usize {
    let hard = Command::new("sh").args(["-c", "ulimit -H -n"]).output();
    let hard = hard.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match hard.as_deref() {
        Ok("unlimited") => usize::MAX,
        Ok(number) => number.parse().unwrap_or(1024),
        Err(_) => 1024,
    }
}

/// The time that a process has spent on a core, if the system tells.
#[must_use]
pub fn spent(pid: u32) -> Option<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        // A thread may be gone by now.
        let Ok(stat) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        nanos += stat.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}

/// The memory that a process has resident, in bytes, if the system tells.
#[must_use]
pub fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// This program with that role. The soft limit of open files is raised as far as it may be.
fn command(role: &Role, cores: &str) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -S -n "$(ulimit -H -n)" 2>/dev/null; exec "$@""#, "sh"]);
    if pins() {
        command.args(["taskset", "-c", cores]);
    }
    command.arg(std::env::current_exe()?).env(ROLE, serde_json::to_string(role)?);
    Ok(command)
}
