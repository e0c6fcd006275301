#!/usr/bin/env bash
# A protocol of one's own beside mpcnet, as docs/writing-a-protocol.md begins one: made, installed, listed, run, tested.
# BIN is the folder of an environment that has mpcnet installed, FOLDER is made anew.
set -euo pipefail
bin=$(realpath "${1:?usage: try_plugin.sh BIN FOLDER}")
folder=${2:?usage: try_plugin.sh BIN FOLDER}
name=values-over-a-threshold

rm -rf "$folder"
"$bin/mpcnet" new "$name" --folder "$folder"
cd "$folder"
"$bin/pip" install --quiet --disable-pip-version-check -e '.[dev]'
"$bin/mpcnet" protocols | grep "^$name "
"$bin/mpcnet" sim "$name"
"$bin/mpcnet" demo "$name"
"$bin/python" -m pytest -q
