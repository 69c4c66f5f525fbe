# The steps of CI are defined in .ci/run; `.ci/run recipes` checks that each has a recipe.

# List the recipes
default:
    @{{ just_executable() }} --list --unsorted

# Run everything that must hold before a change lands, or the named steps of it
ci *STEPS:
    .ci/run {{ STEPS }}

# Run the demo: a real app becomes ill and is healed (--port-base N, --json FILE, --stay)
demo *ARGS:
    cargo demo {{ ARGS }}

# Run the tests of all crates
test: (ci "test")

# Run a bench: classifier or middleware
bench NAME:
    cargo bench --bench {{ NAME }}

# Run clippy on all targets
lint: (ci "lint")

# Format the code
fmt:
    cargo fmt --all

# Check the formatting
format: (ci "format")

# Check the wording of doc comments and test names
language: (ci "language")

# Check licences, bans and sources of the dependencies
deny: (ci "deny")

# Build the docs
docs: (ci "docs")

# Check this file
recipes: (ci "recipes")

# Run clippy with each feature alone
features: (ci "features")

# Check healing-tower for macOS
macos: (ci "macos")

# Check that the compiled-in models are what their recipes make
models: (ci "models")

# Compare deciders on simulated episodes (--population P, --decider D, --episodes N, --seed S, --quick, --json FILE)
judge *ARGS:
    cargo judge {{ ARGS }}

# Run real processes under real load, each judged by the treatment that is right (--only, --list, --time-scale X)
trials *ARGS:
    cargo trials {{ ARGS }}

# Compare the simulator with the patient app under real load (record, which needs root; compare, --write)
calibration *ARGS:
    cargo calibration {{ ARGS }}

# Check both /metrics pages of a real pair
promtool: (ci "promtool")

# Render and validate the Kubernetes manifests
manifests: (ci "manifests")
