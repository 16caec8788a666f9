#!/usr/bin/env bash
# Checks and times the GPU engine on this machine, in less than 8 minutes: benchmarks/gpu_check.sh [WHEELS [TO]]
#
# WHEELS is a folder of wheels, for a machine without a network that lacks some of the packages; they are installed
# beside the others, for this run only. The table goes to TO (reports/ if it is not given), the records to its folder
# gpu-records. Needed in any case: CuPy, numba and what `pip install -e '.[persistence,gpu,peers]'` brings.
set -euo pipefail
wheels=${1:+$(realpath "$1")}
to=$(realpath -m "${2:-$(dirname "$0")/../reports}")
cd "$(dirname "$0")/.."
if [ -n "$wheels" ]; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    python3 -m pip install --quiet --no-index --no-deps --target "$site" "$wheels"/*.whl
    export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi
# a trial first: without a GPU, or with one that gives wrong bars, this says so and nothing is timed
python3 -m tcs.persistence.cuda
status=0
python3 -m harness run conf=gpu || status=$?
python3 -m harness publish latest --to "$to"
mkdir -p "$to/gpu-records"
run=$(ls -td reports/runs/*-gpu | head -n 1)
cp "$run"/records.jsonl "$run"/run.json "$run"/plan.json "$run"/verdicts.json "$run"/config.yaml "$to/gpu-records/"
exit "$status"
