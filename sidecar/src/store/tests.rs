use super::*;
use crate::config::Restart;
use crate::testing::{Fixture, health, restart};

fn intent() -> Intent {
    let target = Identity::of(&health("a"));
    Intent::new(&target, &restart(true), Restart::Exit, Duration::ZERO)
}

#[test]
fn store_returns_state_and_intent_of_previous_process() {
    let mut before = Fixture::new();
    let state = before.policy.state();
    before.store.write_intent(intent(), state.clone()).unwrap();
    let (store, loaded) = Store::open(before.dir.path(), before.shared);
    assert_eq!(store.intent(), Some(&intent()));
    match loaded {
        LoadedState::Saved(saved) => assert_eq!(*saved, state),
        other => panic!("{other:?}"),
    }
}

#[test]
fn store_removes_cleared_intent_at_save() {
    let mut fixture = Fixture::new();
    let state = fixture.policy.state();
    fixture.store.write_intent(intent(), state.clone()).unwrap();
    assert_eq!(fixture.store.clear_intent(), Some(intent()));
    fixture.store.save(state);
    assert_eq!(fixture.saved_intent(), None);
}

#[test]
fn store_starts_without_state_after_unreadable_file() {
    let fixture = Fixture::new();
    std::fs::write(fixture.dir.path().join("state.json"), "{").unwrap();
    let (store, loaded) = Store::open(fixture.dir.path(), Arc::clone(&fixture.shared));
    assert!(matches!(loaded, LoadedState::Unreadable));
    assert_eq!(store.intent(), None);
    assert!(fixture.dir.path().join("state.unreadable.json").exists());
}

#[tokio::test(start_paused = true)]
async fn checkpoint_detects_unwritable_directory_within_one_minute() {
    let mut fixture = Fixture::new();
    let state = fixture.policy.state();
    fixture.store.write(state.clone()).unwrap();
    fixture.break_state_dir();
    fixture.store.checkpoint(state.clone());
    assert!(fixture.store.writable(), "nothing changed, nothing written");
    tokio::time::advance(WRITE_INTERVAL).await;
    fixture.store.checkpoint(state);
    assert!(!fixture.store.writable());
    assert_eq!(fixture.shared.metrics.state_writable.get(), 0);
    assert!(!fixture.shared.view().state_writable);
}

#[tokio::test(start_paused = true)]
async fn checkpoint_detects_directory_that_is_writable_again() {
    let mut fixture = Fixture::new();
    let state = fixture.policy.state();
    fixture.break_state_dir();
    assert!(fixture.store.write(state.clone()).is_err());
    std::fs::remove_file(fixture.dir.path()).unwrap();
    std::fs::create_dir(fixture.dir.path()).unwrap();
    fixture.store.checkpoint(state);
    assert!(fixture.store.writable());
    assert_eq!(fixture.shared.metrics.state_writable.get(), 1);
}
