# The project's commands. Without `just`: ./justw RECIPE

# Arguments keep their spaces: recipes take them as "$1" and "$@".
set positional-arguments
# Where scripts of recipes lie while they run; /tmp and XDG_RUNTIME_DIR may be mounted noexec.
set tempdir := "."

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")
# Modules are this checkout's, whatever else has their names.
export PYTHONPATH := ""

python := quote(justfile_directory() / ".venv/bin/python")

# What there is to do
[private]
default:
    @just --list --unsorted

# Install the host side into .venv; does nothing when that is done
[group('start')]
setup: (_install "requirements.txt" "host")

# Re-run a study: tables, published beside measured, verdicts on its claims, and a report
[group('start')]
reproduce study="lad2023" tier="quick" *options: setup
    -@repliquant doctor
    @study=$1 tier=$2; shift 2; repliquant run "$study" --tier "$tier" --tables "$@"

# A run (the latest by default) as one page that opens from disk
[group('start')]
report run="" *options: setup
    @run=$1; shift; repliquant report ${run:+"$run"} "$@"

# For reviewers, at most ten minutes: prerequisites, a small cell of each image, cost of the rest
[group('start')]
kick-tires *studies="lad2023 shafique2023": setup
    #!/bin/sh
    set -eu
    echo "1. prerequisites"
    repliquant doctor || echo "going on with what works"
    for study in {{ studies }}; do
        echo "2. $study: the published numbers against one another (no measurement)"
        repliquant audit $study --json >/dev/null && echo "audit: done"
        echo "3. $study: a small cell of each environment"
        repliquant run $study --sample --run runs/kick-tires-$study
        echo "4. $study: an archive of it, checked"
        repliquant bundle runs/kick-tires-$study -o runs/kick-tires-$study.crate.zip
        repliquant verify runs/kick-tires-$study.crate.zip
        echo "5. $study: what the rest would take"
        repliquant plan $study --tier quick --cost
        repliquant plan $study --tier paper --cost
    done

# The CUDA paths of PyTorch and TensorFlow on this machine, in 8 minutes. Options go to `repliquant gpu-check`, e.g. `--python PATH`
[group('start')]
gpu-check *options: setup
    @repliquant gpu-check "$@"

# The terminal UI. Options go to `repliquant tui`
[group('start')]
tui *options: setup
    @repliquant tui "$@"

# A recorded real run on the screen, without GPU or Docker; about half a minute
[group('start')]
demo speed="12": setup
    @repliquant replay tui/demo/lad2023-quick-digits --speed {{ speed }}

# All tests; the environments are built on the way (network needed once). Options go to pytest
[group('develop')]
test *options="": develop
    @pytest {{ options }}

# Tests that need no framework: a minute
[group('develop')]
test-fast *options="": develop
    @pytest -m "not frameworks" {{ options }}

# ruff, mypy in strict mode, and the import contracts
[group('develop')]
lint: develop
    @ruff check .
    @ruff format --check .
    @mypy
    @lint-imports

# Put the code into its format
[group('develop')]
format: develop
    @ruff check --fix-only --quiet .
    @ruff format .

# Figures as ratios: our latency against other tools', overheads, reading 10,000 manifests
[group('develop')]
bench *options: develop
    @{{ python }} -m tests.bench "$@"

# Environments: `just images build`, `just images list`, `just images verify`
[group('images')]
images *arguments="list": setup
    @repliquant images "$@"

# Resolve requirements.in anew, for the host and for every image; `--keep-versions` for hashes only
[group('images')]
lock *options: develop
    @{{ python }} -m orchestrator.locking "$@"
    @repliquant images lock "$@"

# The README's picture of the screen, from the demo's recording
[group('develop')]
picture: setup
    @{{ python }} -m tui.picture docs/screen.svg

# A Docker Engine and a base image for the tests (Debian, root); does only what is missing
[group('develop')]
docker-up:
    @tests/docker/up.sh

# Write the JSON Schema of the manifest after a change to its types
[group('develop')]
schema: setup
    @{{ python }} -m manifests.schema

# Install what the tests and linters need
[private]
develop: setup (_install "requirements-dev.txt" "tests and linters")

# justw makes .venv anew where it was moved, copied, or has lost its Python
[private]
_install file what:
    @./justw --version >/dev/null
    @{{ python }} -m orchestrator.checkout install "$1" "$2"
