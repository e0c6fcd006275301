#!/usr/bin/env bash
# Protocols of one's own beside mpcnet, as docs/writing-a-protocol.md begins one: made, installed, listed, run, tested.
# The first is the skeleton as it comes; the second has an input of a kind of its own, from tools/plugin_kind.
# BIN is the folder of an environment that has mpcnet installed, FOLDER is made anew.
set -euo pipefail
bin=$(realpath "${1:?usage: try_plugin.sh BIN FOLDER}")
folder=${2:?usage: try_plugin.sh BIN FOLDER}
kind=$(realpath "$(dirname "$0")/plugin_kind")

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

try() {  # NAME, in the folder of its name
    cd "$1"
    "$bin/pip" install --quiet --disable-pip-version-check -e '.[dev]'
    "$bin/mpcnet" protocols | grep "^$1 "
    "$bin/mpcnet" sim "$1"
    "$bin/mpcnet" job "$1" > job.toml
    "$bin/mpcnet" explain job.toml > explanation.txt
    "$bin/mpcnet" demo "$1"
    "$bin/python" -m pytest -q
    cd ..
}

"$bin/mpcnet" new values-over-a-threshold
try values-over-a-threshold

"$bin/mpcnet" new longest-wait
cp "$kind/protocol.py" longest-wait/src/mpcnet_longest_wait/__init__.py
cp "$kind/test_protocol.py.in" longest-wait/tests/test_longest_wait.py
try longest-wait
grep "arrival: a time of day, such as 07:30 (when you come)" longest-wait/explanation.txt
grep "inputs drawn at random" longest-wait/explanation.txt
