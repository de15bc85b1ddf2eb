#!/bin/sh
# Make or refresh .venv from a lock file: with uv where it is installed, with venv and pip where not.
# Usage: scripts/env.sh LOCKFILE. Touches nothing outside the project folder.
set -eu
lock=$1
cd "$(dirname "$0")/.."

find_python() {
  for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "rollout-lab needs Python 3.11 or newer, and none was found." >&2
  echo "Install it (https://www.python.org/downloads/) or name one: make lab PYTHON=/path/to/python3.12" >&2
  exit 1
}

python=$(find_python)
if command -v uv >/dev/null 2>&1; then
  [ -x .venv/bin/python ] || uv venv --quiet --python "$python" .venv
  echo "installing with uv from $lock"
  uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
  uv pip install --quiet --python .venv/bin/python --no-deps -e .
else
  if [ ! -x .venv/bin/pip ]; then
    "$python" -m venv .venv || {
      echo "$python cannot make a virtual environment. On Debian and Ubuntu: sudo apt install python3-venv" >&2
      rm -rf .venv
      exit 1
    }
  fi
  echo "installing with pip from $lock (a minute or two the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
fi
