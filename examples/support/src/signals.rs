//! Ctrl-C and SIGTERM.

use std::future::Future;
use std::io;
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;

/// Registers for the signals at once; what it returns is ready when the first of them has come. From then on the next one
/// ends the process at once: whoever asks twice does not want to wait.
pub(crate) fn first() -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let mut signals = Signals::new()?;
    // One task counts them, however many wait: the second of one is the second of all.
    if !IS_HEARD.swap(true, Relaxed) {
        tokio::spawn(async move {
            signals.next().await;
            CAME.send_replace(true);
            signals.next().await;
            process::exit(AT_ONCE);
        });
    }
    let mut came = CAME.subscribe();
    Ok(async move { drop(came.wait_for(|came| *came).await) })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) {
        let _ = self.interrupt.recv().await;
    }
}

/// Whether one has come.
static CAME: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));
/// Whether there is a task that counts them.
static IS_HEARD: AtomicBool = AtomicBool::new(false);
/// The exit code of who was ended by Ctrl-C, as shells have it: 128 and the signal's number.
const AT_ONCE: i32 = 130;
