"""Commands of a lesson that do not end by themselves."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from rollout_lab.course import shell


def test_what_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that waits for ever must not outlive the minute it is given, and what it said is shown."""
    monkeypatch.setattr(shell, "TIMEOUT", 1.0)
    script = tmp_path / "waits.sh"
    script.write_text("echo waiting\nuntil false; do sleep 1; done\n", encoding="utf-8")
    ran = shell._shell(f"sh {script} | cat", "", tmp_path)
    assert (ran.ok, ran.text, ran.code, ran.params) == (False, "waiting", "timeout", {"seconds": 1})
    left = [p for p in psutil.process_iter(["cmdline"]) if str(script) in (p.info["cmdline"] or [])]
    assert not left
