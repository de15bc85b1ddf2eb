"""Stand-ins for docker, kind and pip: small programs on PATH that note their words and answer from files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """#!{python} -I
import json, pathlib, sys
home = pathlib.Path({home!r})
words = sys.argv[1:]
data = 0 if sys.stdin.isatty() or "import" not in words else len(sys.stdin.buffer.read())
with open(home / "calls", "a") as calls:
    calls.write(json.dumps([{name!r}, words, data]) + "\\n")
for rule in json.loads((home / "rules").read_text()):
    if rule["program"] == {name!r} and all(any(w in said for said in words) for w in rule["words"]):
        after = rule.get("after")
        done = [json.loads(line) for line in (home / "calls").read_text().splitlines()]
        if after and not any(call[0] == after[0] and after[1] in call[1] for call in done):
            continue
        sys.stdout.write(rule.get("out", ""))
        sys.stderr.write(rule.get("err", ""))
        for path, text in rule.get("files", {{}}).items():
            pathlib.Path(path).write_text(text)
        sys.exit(rule.get("code", 0))
sys.exit(0)
"""


class Tools:
    """Programs that do what `rules` say: the first whose words all occur; `after` needs an earlier call."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.home = home
        home.mkdir()
        for name in names:
            path = home / name
            path.write_text(
                _PROGRAM.format(python=sys.executable, home=str(home), name=name), encoding="utf-8"
            )
            path.chmod(0o755)
        monkeypatch.setenv("PATH", str(home))
        self.answer()

    def answer(self, *rules: dict[str, Any]) -> None:
        (self.home / "rules").write_text(json.dumps(rules), encoding="utf-8")
        (self.home / "calls").write_text("", encoding="utf-8")

    @property
    def calls(self) -> list[tuple[str, list[str], int]]:
        """(program, words, bytes on standard input)."""
        lines = (self.home / "calls").read_text("utf-8").splitlines()
        return [(c[0], c[1], c[2]) for c in map(json.loads, lines)]
