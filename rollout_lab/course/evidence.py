"""A student's run of a lesson as one file that can be verified. Pure: text in, text and findings out.

Each line is ``DIGEST JSON``: first what the lesson was and who did it, then a line for each task and each
question, then the rows of the run (`observe.timeline`). DIGEST is the SHA-256 of the digest before it and
of this line's JSON, so the first line that was changed, left out or put in is known. The last line is a
seal: an HMAC of the last digest with the key of the lab that exported it.

What it proves: with the key, that this lab wrote the file and nobody changed it since. Without the key,
that the lines belong together; somebody who writes the whole file anew cannot be told from a lab. The
checks are asked again over the rows, and a task that they confirm did happen in this run. Whose hands did
it is not in any file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.course.checks import Checks, Passed, Seen
from rollout_lab.errors import UsageError
from rollout_lab.observe.replay import Recording

Json = dict[str, Any]
FORMAT: Final = "rollout-lab-evidence/1"
SEAL: Final = "seal"
SLACK: Final = 3.0  # lab seconds after a task passed in which its check may say so over the rows
_STEP: Final = 0.5


@dataclass(frozen=True, slots=True)
class Verified:
    """What is known of a file. `broken`: the first line (from 1) that does not belong, 0 for none.

    `sealed`: whether the key at hand sealed it; None where no key was given. `tasks`: id -> what its line
    says. `rows`: the run itself, to replay it.
    """

    broken: int
    sealed: bool | None
    about: Json
    tasks: tuple[Json, ...]
    questions: tuple[Json, ...]
    rows: tuple[Json, ...]

    @property
    def intact(self) -> bool:
        return self.broken == 0


def write(
    about: Mapping[str, Any], board: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], key: bytes
) -> str:
    """The file. `about`: student and whatever else is to be kept; `board`: `course.board`."""
    lesson = board["lesson"]
    head = {"format": FORMAT, "lesson": f"{lesson['number']:02}-{lesson['slug']}", **about}
    head |= {"passed": board["passed"], "total": board["total"], "finished": board["finished"]}
    lines: list[Mapping[str, Any]] = [head]
    for task in board["tasks"]:
        lines.append({"task": task["id"], "state": task["state"], "t": task["t"], "helped": task["helped"]})
    for question in board["questions"]:
        kept = {name: question[name] for name in ("given", "truth", "right")}
        lines.append({"question": question["id"], **kept})
    lines += rows
    out, digest = [], ""
    for line in lines:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        digest = _digest(digest, text)
        out.append(f"{digest} {text}")
    out.append(f"{_sealed(key, digest)} {SEAL}")
    return "\n".join(out) + "\n"


def verify(text: str, key: bytes | None = None) -> Verified:
    """What is known of a file. Raises UsageError where it is none of ours."""
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    head = _json(lines[0]) if lines else {}
    if not str(head.get("format", "")).startswith("rollout-lab-evidence/"):
        raise UsageError('this is no evidence of a lesson: its first line has no "format" of rollout-lab')
    if head["format"] != FORMAT:
        raise UsageError(
            f"format {head['format']} is not known here, only {FORMAT}: take a newer rollout-lab"
        )
    broken, digest = 0, ""
    for number, line in enumerate(lines[:-1], 1):
        claimed, _, body = line.partition(" ")
        digest = _digest(digest, body)
        if claimed != digest:
            broken = number
            break
    found, _, word = lines[-1].partition(" ")
    if not broken and (word != SEAL or len(lines) < 2 or text != "\n".join(lines) + "\n"):
        broken = len(lines)
    sealed = None if key is None else not broken and hmac.compare_digest(found, _sealed(key, digest))
    bodies = [_json(line) for line in lines[1:-1]]
    return Verified(
        broken,
        sealed,
        head,
        tuple(body for body in bodies if "task" in body),
        tuple(body for body in bodies if "question" in body),
        tuple(body for body in bodies if "task" not in body and "question" not in body),
    )


def confirmed(
    checks: Checks, tasks: Sequence[Mapping[str, Any]], rows: Sequence[Json]
) -> dict[str, bool | None]:
    """Task -> True where its check passes over the rows at its time; None where rows alone cannot tell.

    Rows do not have everything a check may look at (clients, an engine that is off), so None is no doubt.
    """
    if not rows:
        return {str(task["task"]): None for task in tasks}
    recording = Recording(rows)
    return {str(task["task"]): _confirmed(checks, task, recording, rows) for task in tasks}


def _confirmed(
    checks: Checks, task: Mapping[str, Any], recording: Recording, rows: Sequence[Json]
) -> bool | None:
    rule = checks.rules.get(str(task["task"]))
    t = task.get("t")
    if rule is None or not isinstance(t, int | float):
        return None
    for i in range(int(SLACK / _STEP) + 1):
        now = float(t) + i * _STEP
        past = [row for row in rows if float(row.get("t") or 0.0) <= now]
        try:
            if isinstance(rule.check(Seen(now, recording.moments.at(now), past)), Passed):
                return True
        except Exception:  # a check that needs more than rows; its author did not think of evidence
            return None
    return None


def _digest(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _sealed(key: bytes, digest: str) -> str:
    return hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()


def _json(line: str) -> Json:
    try:
        found = json.loads(line.partition(" ")[2])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
