//! Settings reference: `SETTINGS.md` shows the table of settings in the code.
//!
//! `UPDATE_EXPECT=1 cargo test -p healing-core --test policy settings` rewrites it.

use std::path::Path;

use healing_core::config::settings_reference;

const INTRO: &str = "\
# Settings of the policy

The sidecar reads these settings from the `[policy]` table of its TOML file (see its
[settings](../sidecar/README.md#settings)). A setting that is not in the file has the default of the profile:
those of the profile `default` are in this table, and the profile `demo` has shorter times (`PolicyConfig::demo`).
In Rust the settings are the fields of `healing_core::config::PolicyConfig`.

Durations are strings such as `\"300ms\"`, `\"30s\"` or `\"10min\"`. The part of a name before the dot is a table:

```toml
[policy]
slow_window = \"2min\"

[policy.evidence]
hang_timeout = \"20s\"
```

| setting | default | range | meaning |
|---|---|---|---|
";

#[test]
fn settings_reference_matches_its_file() {
    let rows = settings_reference().map(|row| {
        let (path, default, range, text) = (row.path, row.default, row.range, row.text);
        format!("| `{path}` | `{default}` | {range} | {text} |\n")
    });
    let reference = INTRO.to_owned() + &rows.collect::<String>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SETTINGS.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &reference).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        file == reference,
        "SETTINGS.md differs from the code; UPDATE_EXPECT=1 rewrites it"
    );
}
