use super::*;

fn file() -> (tempdir::Dir, std::path::PathBuf) {
    let dir = tempdir::Dir::new();
    let path = dir.path().join("api.db");
    (dir, path)
}

#[tokio::test]
async fn a_name_is_taken_once_and_found_byte_for_byte() {
    let accounts = Accounts::open(Path::new(":memory:")).unwrap();
    let ann = accounts.add("ann".to_owned(), "h1".to_owned()).await.unwrap();
    assert_eq!(accounts.add("ann".to_owned(), "h2".to_owned()).await, Err(AccountError::Taken));
    let other = accounts.add("Ann".to_owned(), "h3".to_owned()).await.unwrap();
    assert_ne!(ann.id, other.id);
    let found = accounts.by_name("ann".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.user, &*found.hash), (ann.clone(), "h1"));
    assert_eq!(accounts.by_id(ann.id).await.unwrap().unwrap().user, ann);
    for nobody in [0, 99, u64::MAX] {
        assert!(accounts.by_id(nobody).await.unwrap().is_none());
    }
    assert!(accounts.by_name("' OR 1=1 --".to_owned()).await.unwrap().is_none());
}

#[tokio::test]
async fn two_servers_share_a_file_and_it_stays() {
    let (_dir, path) = file();
    let (one, two) = (Accounts::open(&path).unwrap(), Accounts::open(&path).unwrap());
    for turn in 0..20 {
        let (a, b) = tokio::join!(
            one.add(format!("a{turn}"), String::new()),
            two.add(format!("b{turn}"), String::new())
        );
        assert_ne!(a.unwrap().id, b.unwrap().id);
    }
    assert_eq!(two.add("a0".to_owned(), String::new()).await, Err(AccountError::Taken));
    drop((one, two));
    assert!(Accounts::open(&path).unwrap().by_name("b19".to_owned()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_is_locked_for_long_is_a_busy_database_and_no_hang() {
    let (_dir, path) = file();
    let accounts = Accounts::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(accounts.add("ann".to_owned(), String::new()).await, Err(AccountError::Busy));
    // Readers do not wait.
    assert!(accounts.by_name("ann".to_owned()).await.unwrap().is_none());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(accounts.add("ann".to_owned(), String::new()).await.is_ok());
}

#[tokio::test]
async fn the_last_that_closes_a_file_takes_its_log_away_and_nobody_is_served_any_more() {
    let (dir, path) = file();
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    let (one, two) = (Accounts::open(&path).unwrap(), Accounts::open(&path).unwrap());
    one.add("ann".to_owned(), String::new()).await.unwrap();
    one.close().await;
    assert_eq!(files(), 3, "the other one goes on");
    assert!(two.by_name("ann".to_owned()).await.unwrap().is_some());
    assert_eq!(one.add("bob".to_owned(), String::new()).await, Err(AccountError::Failed));
    two.close().await;
    assert_eq!(files(), 1);
    one.close().await;
    assert!(Accounts::open(&path).unwrap().by_name("ann".to_owned()).await.unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, path) = file();
    let _accounts = Accounts::open(&path).unwrap();
    for path in [path.clone(), path.with_extension("db-wal")] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_not_our_database_is_left_alone() {
    let (_dir, path) = file();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE users (x)").unwrap();
    assert!(matches!(Accounts::open(&path).err(), Some(OpenError::Foreign)));
    other.pragma_update(None, "application_id", PROGRAM).unwrap();
    other.pragma_update(None, "user_version", VERSION + 1).unwrap();
    assert!(matches!(Accounts::open(&path).err(), Some(OpenError::Newer)));
    std::fs::write(&path, "no database at all, but long enough to be looked at".repeat(100)).unwrap();
    assert!(matches!(Accounts::open(&path).err(), Some(OpenError::Sqlite(_))));
}

/// A directory of the test's own.
mod tempdir {
    use std::path::{Path, PathBuf};

    pub(super) struct Dir(PathBuf);

    impl Dir {
        pub(super) fn new() -> Self {
            let dir = std::env::temp_dir().join(format!("api-accounts-{}", crate::server::secret::token()));
            std::fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        pub(super) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
