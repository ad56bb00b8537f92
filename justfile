# What one does every day. `just` lists it.
default:
    @just --list

# Run the demo: a made-up company, imported and searchable.
demo *flags:
    cargo run --release -- demo --connected {{flags}}

# Check what the compiler knows.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Run all tests.
test *flags:
    cargo test --workspace {{flags}}

# Kill the binary so many times each in an import, a re-sync and a refresh.
kills n="100":
    TESTED_KILLS={{n}} cargo test -p circuit --test it killed_often -- --nocapture

# Check what the compiler does not know.
tidy:
    cargo run -p xtask -- tidy

# Accept what the snapshot tests now say; read the difference before committing it.
bless *flags:
    UPDATE_EXPECT=1 cargo test --workspace {{flags}}

# Measure; the figures go to docs/dev/numbers.md.
bench *flags:
    cargo bench -p circuit --bench figures {{flags}}

# Judge that a page twice as long costs about twice the time; what a reading gives back stays with the process.
linear:
    MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=17179869184 \
        cargo test --release -p extract --test reading -- --ignored --test-threads 1

# Hold the reading of files against two public extractors (docs/dev/files.md says what to install).
files *readers:
    cargo build --release -p files
    python3 benches/files.py {{readers}}

# Licences, advisories, doubled and forbidden crates.
deny:
    cargo deny check

# Play this many worlds of the simulation; a failing seed prints a script that plays it again.
sim seeds="2000" *flags:
    cargo run --release -p simulation -- --seeds {{seeds}} {{flags}}

# Walk through the app in a browser; screenshots go to e2e/screenshots.
e2e:
    cargo build --release
    cd e2e && npm ci && npm test

# Everything that must hold before a change is taken.
ci:
    .ci/run
