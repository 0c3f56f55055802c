# The project's commands. Without `just`: ./justw RECIPE

# Arguments keep their spaces: recipes take them as "$1" and "$@".
set positional-arguments
# Where scripts of recipes lie while they run; /tmp and XDG_RUNTIME_DIR may be mounted noexec.
set tempdir := "."

callers_path := env("PATH")
export PATH := justfile_directory() / ".venv/bin:" + env("PATH")
# Modules are this checkout's, whatever else has their names.
export PYTHONPATH := ""

python := quote(justfile_directory() / ".venv/bin/python")
host := "not frameworks and not docker and not podman and not slurm"
in_parallel := "-n auto --dist worksteal"

# What there is to do
[private]
default:
    @just --list --unsorted

# Install the host side into .venv; does nothing when that is done
[group('start')]
setup: (_install "requirements.txt" "host")

# Cells of tier quick may take so long; environments, data and the report come on top
reproduce_budget := "10m"

# Re-run a study, write tables, published beside measured, and a report, and end with a screen of verdicts on its claims (`--tables` prints the tables, too). In tier quick its cells take about 10 minutes at most (as with `--budget 10m`); go on with `--budget 25m`
[group('start')]
reproduce study="lad2023" tier="quick" *options: setup _on_path
    #!/bin/sh
    study=$1 tier=$2
    shift 2
    case "$tier $*" in
        *--budget* | *--repeats*) ;;
        "quick "*) set -- --budget {{ reproduce_budget }} "$@" ;;
    esac
    exec repliquant run "$study" --tier "$tier" --wait-quiet 30 --report --doctor "$@"

# A run (the latest by default) as one page that opens from disk
[group('start')]
report run="" *options: setup
    @run=$1; shift; repliquant report ${run:+"$run"} "$@"

# docs/support.md from the latest run that has probes: the paper's issues then and now, and the matrix
[group('start')]
support run="": _on_path
    #!/bin/sh
    set -eu
    page=$(mktemp)
    trap 'rm -f "$page"' EXIT
    {
        echo "# What is supported, measured"
        echo
        echo "Written by \`just support\` from a run of \`--experiment matrix --experiment matrix-2023\`;"
        echo "[matrix.md](matrix.md) says how a probe decides."
        echo
        repliquant table lad2023 {{ run }} --table table4 --format md
        echo
        repliquant matrix ${1:-lad2023} --format md
    } >"$page"
    cat "$page" >docs/support.md

# For reviewers, at most ten minutes: prerequisites, a small cell of each image, cost of the rest
[group('start')]
kick-tires *studies="lad2023 shafique2023": setup _on_path
    #!/bin/sh
    set -u
    studies="{{ studies }}"
    of=$((1 + 4 * $(echo $studies | wc -w)))
    step=0 failed=""
    runs=${REPLIQUANT_RUNS:-runs}
    mkdir -p "$runs"
    begin() { step=$((step + 1)); echo; echo "$step of $of. $1"; what=$1; }
    check() { status=$?; [ $status -eq 0 ] || failed="$failed  $what (exit status $status)\n"; }
    begin "prerequisites"
    repliquant doctor --brief || echo "going on with what works"
    for study in $studies; do
        run=$runs/kick-tires-$study
        begin "$study: the published numbers against one another (no measurement)"
        repliquant audit $study --json >"$run.audit.json"
        check
        echo "$(grep -c '"id":' "$run.audit.json") findings; to read them: repliquant audit $study"
        begin "$study: a small cell of each environment"
        # Its verdicts would all be "not measured".
        repliquant run $study --sample --run "$run" >/dev/null
        check
        begin "$study: an archive of it, checked"
        repliquant bundle "$run" -o "$run.crate.zip" && repliquant verify "$run.crate.zip"
        check
        begin "$study: what the rest would take"
        repliquant plan $study --tier quick --cost && repliquant plan $study --tier paper --cost
        check
    done
    echo
    if [ -n "$failed" ]; then
        printf "kick-tires: these steps failed:\n$failed" >&2
        exit 1
    fi
    echo "kick-tires: all $of steps worked. Next: ./justw reproduce (about 12 minutes)"

# The CUDA paths of PyTorch and TensorFlow on this machine, in 8 minutes. Options go to `repliquant gpu-check`, e.g. `--python PATH`
[group('start')]
gpu-check *options: setup
    @repliquant gpu-check "$@"

# The terminal UI. Options go to `repliquant tui`
[group('start')]
tui *options: setup
    @repliquant tui "$@"

# A recorded real run on the screen, without GPU or Docker; about a minute
[group('start')]
demo speed="18": setup
    @repliquant replay tui/demo/lad2023-quick-digits --speed {{ speed }}

# The tests; the environments are built on the way (network needed once). With options: pytest with them
[group('develop')]
test *options: develop
    #!/bin/sh
    [ $# -eq 0 ] || exec pytest "$@"
    # Environments are made while the tests run that need none. What can't be made is made again,
    # and its fault reported, by the tests that need it.
    rm -f .pytest_cache/v/cache/lastfailed
    log=$(mktemp)
    "{{ just_executable() }}" _test-environments >"$log" 2>&1 </dev/null &
    making=$!
    status=0
    "{{ just_executable() }}" test-host || status=$?
    wait $making || cat "$log" >&2
    rm -f "$log"
    "{{ just_executable() }}" test-images || status=$?
    [ $status -eq 0 ] || exec python -m tests.again

[private]
_test-environments:
    repliquant images build pytorch-cpu tensorflow-22.03 tensorflow-cpu onnxruntime-cpu brevitas-cpu larq-cpu --engine local
    -REPLIQUANT_BASE=repliquant-test-base:bookworm repliquant images build pytorch-cpu tensorflow-cpu --engine docker

# Tests that need neither a framework nor Docker nor a terminal nor a browser, and few processes
[group('develop')]
test-fast *options: develop
    @pytest {{ in_parallel }} -m "{{ host }} and not terminal and not cells and not thorough" "$@"

# Tests that need neither a framework nor Docker
[group('develop')]
test-host *options: develop
    @pytest {{ in_parallel }} -m "{{ host }} and not thorough" "$@"

# Tests with frameworks, Docker, Podman and Slurm, two at a time; what measures has the machine to itself
[group('develop')]
test-images: develop
    #!/bin/sh
    status=0
    pytest -n 2 --dist loadgroup -m "not ({{ host }}) and not measures and not thorough" || status=$?
    pytest -m "measures and not thorough" || status=$?
    exit $status

# What `just test` leaves out: the same again on another network, toolchain or size, or for longer
[group('develop')]
test-thorough *options: develop
    @pytest -n 2 --dist loadgroup -m thorough "$@"

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
    @{{ python }} -m orchestrator.environments.lockfiles "$@"
    @repliquant images lock "$@"

# Pictures of all screens for docs/screens.md and the README, from the demo's recording
[group('develop')]
pictures: setup
    @{{ python }} -m tui.picture docs

# A Docker Engine and a base image for the tests (Debian, root); does only what is missing
[group('develop')]
docker-up:
    @tests/docker/up.sh

# Podman's service as root and as a user made for it, and a base image, for the tests (Debian, root)
[group('develop')]
podman-up:
    @tests/podman/up.sh

# A Slurm of two nodes on this machine for the tests (Debian, root); with `accounting` also slurmdbd
[group('develop')]
slurm-up *accounting:
    @tests/slurm/up.sh "$@"

# End the Slurm that slurm-up started
[group('develop')]
slurm-down:
    @tests/slurm/down.sh

# Write the JSON Schema of the manifest after a change to its types
[group('develop')]
schema: setup
    @{{ python }} -m manifests.schema

# Write docs/reference.md after a change to the types of a study's, an image's or a framework's file
[group('develop')]
docs: setup
    @{{ python }} -m services.reference

# What the commands that are shown above need in the caller's shell
[private]
_on_path:
    @PATH="{{ callers_path }}" command -v repliquant >/dev/null 2>&1 || echo 'For `repliquant` in this shell: export PATH="{{ justfile_directory() }}/.venv/bin:$PATH"' >&2

# Install what the tests and linters need
[private]
develop: setup (_install "requirements-dev.txt" "tests and linters")

# justw makes .venv anew where it was moved, copied, or has lost its Python
[private]
_install file what:
    @./justw --version >/dev/null
    @{{ python }} -m orchestrator.environments.checkout install "$1" "$2"
