//! Ctrl-C and SIGTERM.

use std::future::Future;
use std::io;

/// Registers for the signals at once; what it returns is ready when the first of them comes.
#[cfg(unix)]
pub(crate) fn first() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Registers for the signal at once; what it returns is ready when it comes.
#[cfg(windows)]
pub(crate) fn first() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        let _ = interrupt.recv().await;
    })
}
