//! The `[policy]` table, merged over the policy of the profile.

use std::collections::BTreeMap;

use healing_core::config::PolicyConfig;
use toml::{Table, Value};

use super::error::PolicyError;

/// Returns `base` with its values replaced by those of the table `given`.
pub(super) fn merge_policy(base: &PolicyConfig, given: Value) -> Result<PolicyConfig, PolicyError> {
    let Value::Table(given) = given else {
        return Err(PolicyError::NotTable);
    };
    let mut table = Table::try_from(base)?;
    merge(&mut table, given);
    let policy: PolicyConfig = table.try_into()?;
    policy.validate()?;
    Ok(policy)
}

/// Merges `given` into `base`. Tables are merged, all other values are replaced.
fn merge(base: &mut Table, given: Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Returns all settings of the policy as pairs of dotted name and text, sorted by name.
pub(super) fn flatten_policy(policy: &PolicyConfig) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Ok(Value::Table(table)) = Value::try_from(policy) {
        flatten("policy", &table, &mut pairs);
    }
    pairs
}

fn flatten(prefix: &str, table: &Table, pairs: &mut Vec<(String, String)>) {
    let sorted: BTreeMap<_, _> = table.iter().collect();
    for (key, value) in sorted {
        let name = format!("{prefix}.{key}");
        match value {
            Value::Table(inner) => flatten(&name, inner, pairs),
            Value::String(text) => pairs.push((name, text.clone())),
            other => pairs.push((name, other.to_string())),
        }
    }
}
