use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> impl Environment + use<> {
    let map: HashMap<String, OsString> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    move |name: &str| map.get(name).cloned()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn with_file(text: &str) -> Loaded {
    let file = file(text);
    let path = file.path().to_str().unwrap().to_owned();
    load(&Flags::from([("config", path)]), &environment(&[]))
}

fn problems(loaded: &Loaded) -> Vec<String> {
    loaded.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn defaults_are_valid_in_both_profiles() {
    for profile in ["default", "demo"] {
        let loaded = load(&Flags::new(), &environment(&[("HEALING_PROFILE", profile)]));
        assert_eq!(problems(&loaded), Vec::<String>::new());
        loaded.settings.policy.validate().unwrap();
    }
}

#[test]
fn default_mode_is_observe() {
    let settings = load(&Flags::new(), &environment(&[])).settings;
    assert_eq!(settings.mode, Mode::Observe);
    assert_eq!(settings.poll_interval, Duration::from_secs(5));
    assert_eq!(settings.bind.port(), 5001);
    assert_eq!(settings.care_url.as_str(), "http://127.0.0.1:5002/");
}

#[test]
fn layers_override_in_order_flag_environment_file_default() {
    let file = file("poll_interval = \"1s\"\nmode = \"enforce\"\nbind = \"127.0.0.1:1\"\n");
    let flags = Flags::from([("poll_interval", "3s".to_owned())]);
    let env = environment(&[
        ("HEALING_CONFIG", file.path().to_str().unwrap()),
        ("HEALING_POLL_INTERVAL", "2s"),
        ("HEALING_BIND", "127.0.0.1:2"),
    ]);
    let loaded = load(&flags, &env);
    assert_eq!(problems(&loaded), Vec::<String>::new());
    assert_eq!(loaded.settings.poll_interval, Duration::from_secs(3));
    assert_eq!(loaded.settings.bind.port(), 2);
    assert_eq!(loaded.settings.mode, Mode::Enforce);
    let origin = |name: &str| {
        let (_, _, origin) = loaded.effective.iter().find(|(n, ..)| n == name).unwrap();
        origin.to_string()
    };
    assert_eq!(origin("poll_interval"), "--poll-interval");
    assert_eq!(origin("bind"), "HEALING_BIND");
    assert_eq!(origin("mode"), file.path().display().to_string());
    assert_eq!(origin("rules"), "default");
}

#[test]
fn config_error_names_setting_origin_and_valid_values() {
    let env = environment(&[
        ("HEALING_MODE", "Enforce"),
        ("HEALING_POLL_INTERVAL", "5"),
        ("HEALING_PROBE_TIMEOUT", "0s"),
        ("HEALING_APP_URL", "https://app:5000"),
        ("HEALING_CARE_URL", "127.0.0.1:5002"),
        ("HEALING_BIND", "5001"),
        ("HEALING_RESTART", "signal"),
    ]);
    let loaded = load(&Flags::new(), &env);
    let text = problems(&loaded).join("\n");
    for expected in [
        "mode (HEALING_MODE): \"Enforce\" is not one of observe, enforce",
        "poll_interval (HEALING_POLL_INTERVAL): \"5\" is not a duration such as 5s or 250ms",
        "probe_timeout (HEALING_PROBE_TIMEOUT): 0s is out of range: from 10ms to 30s",
        "app_url (HEALING_APP_URL): \"https://app:5000\": only http is supported",
        "care_url (HEALING_CARE_URL)",
        "bind (HEALING_BIND): \"5001\" is not ADDRESS:PORT",
        "restart (HEALING_RESTART): \"signal\" is not available in this version",
    ] {
        assert!(text.contains(expected), "missing: {expected}\nin:\n{text}");
    }
    assert_eq!(loaded.errors.len(), 7);
}

#[test]
fn poll_interval_at_which_the_policy_cannot_work_is_rejected() {
    for (interval, accepted) in [
        ("99ms", false),
        ("100ms", true),
        ("60s", true),
        ("61s", false),
    ] {
        let loaded = with_file(&format!("poll_interval = \"{interval}\""));
        assert_eq!(problems(&loaded).is_empty(), accepted, "{interval}");
    }
}

#[test]
fn invalid_setting_forces_observe_and_keeps_valid_ones() {
    let env = environment(&[
        ("HEALING_MODE", "enforce"),
        ("HEALING_POLL_INTERVAL", "1s"),
        ("HEALING_RULES", "none"),
    ]);
    let loaded = load(&Flags::new(), &env).fail_safe();
    assert_eq!(loaded.settings.mode, Mode::Observe);
    assert_eq!(loaded.settings.poll_interval, Duration::from_secs(1));
    assert_eq!(loaded.settings.rules, Rules::Default);
    assert_eq!(loaded.errors.len(), 1);
}

#[test]
fn empty_variable_counts_as_unset() {
    let loaded = load(&Flags::new(), &environment(&[("HEALING_MODE", "")]));
    assert_eq!(problems(&loaded), Vec::<String>::new());
}

#[test]
fn config_file_is_rejected_if_missing_malformed_or_with_unknown_keys() {
    let missing = load(
        &Flags::from([("config", "/no/such/file.toml".to_owned())]),
        &environment(&[]),
    );
    assert!(problems(&missing)[0].contains("cannot read /no/such/file.toml"));

    let broken = problems(&with_file("mode = enforce")).join("\n");
    assert!(
        broken.contains("is not TOML") && broken.contains("line 1"),
        "{broken}"
    );

    let unknown = problems(&with_file("pol_interval = \"5s\"")).join("\n");
    assert!(unknown.contains("pol_interval") && unknown.contains("no such setting"));

    let number = problems(&with_file("poll_interval = 5")).join("\n");
    assert!(
        number.contains("5 is not a string; a string is expected"),
        "{number}"
    );
}

#[test]
fn client_timeout_is_none_until_it_is_declared() {
    for (text, expected) in [
        ("[policy]\n", "none"),
        ("[policy.impairment]\nclient_timeout = \"2s\"\n", "2s"),
    ] {
        let loaded = with_file(text);
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        let shown = policy_table::flatten_policy(&loaded.settings.policy);
        let setting = "policy.impairment.client_timeout".to_owned();
        assert!(shown.contains(&(setting, expected.to_owned())), "{shown:?}");
    }
}

#[test]
fn policy_table_is_merged_over_the_profile() {
    let untouched = with_file("profile = \"demo\"\n[policy]\n");
    assert_eq!(problems(&untouched), Vec::<String>::new());
    let wrong = with_file("[policy]\nno_such_thing = 1\n");
    assert_eq!(wrong.errors.len(), 1);
    assert!(
        problems(&wrong)[0].contains("no_such_thing"),
        "{:?}",
        wrong.errors
    );
    let kind = with_file("policy = 3\n");
    assert!(problems(&kind)[0].contains("a table is expected"));
}
