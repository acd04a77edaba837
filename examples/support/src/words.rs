//! What the system says, in words for a person.

use std::io::{Error, ErrorKind};

/// What an error of the system means to who typed the flags, as a part of a sentence.
///
/// ```
/// use std::io::{Error, ErrorKind};
///
/// assert_eq!(support::words(&ErrorKind::ConnectionRefused.into()), "nobody listens there");
/// assert_eq!(support::words(&Error::other("as it is")), "as it is");
/// ```
#[must_use]
pub fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        ErrorKind::TimedOut => "it does not answer in time".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "there is no way to that address".to_owned()
        }
        _ if is_short_of_files(error) => "this process may open no more files: raise `ulimit -n`".to_owned(),
        _ if error.to_string().starts_with(LOOKUP) => NO_NAME.to_owned(),
        _ => error.to_string(),
    }
}

/// Whether the process has as many files and sockets as the system lets it have.
#[must_use]
pub fn is_short_of_files(error: &Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(EMFILE)
}

/// Looks whether so many more files can be opened.
pub(crate) fn has_files(number: usize) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let files: Result<Vec<_>, _> =
            (0..number).map(|_| std::io::stderr().as_fd().try_clone_to_owned()).collect();
        files.map(drop)
    }
    #[cfg(not(unix))]
    {
        let _ = number;
        Ok(())
    }
}

/// The same number on all unixes.
const EMFILE: i32 = 24;
/// The standard library has no kind for it.
const LOOKUP: &str = "failed to lookup address information";
/// As netcore says it.
const NO_NAME: &str = "no address is known for that name, or the name server does not answer";
