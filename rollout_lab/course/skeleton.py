"""A new lesson to start from: all its files, fit for the linter, with one task to rewrite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rollout_lab.course.lesson import LessonError

SLUG: Final = re.compile(r"(\d{2})-([a-z0-9]+(?:-[a-z0-9]+)*)")

_INDEX: Final = """---
title: "{title}"
lecture: "{number}"
minutes: 10
scenario: course-2233
needs: [engine, nodeport]
---

{question}

## {heading}

{text}

```
kubectl argo rollouts set image api-tester-2233 \\
  api-tester-2233=1pro/api-tester:2.0.0 -n anotherclass-223
```

```task new-version
do: "{do}"
not-yet:
  same-image: "{same}"
hints:
  - "{hint}"
```

```quiz revision
ask: "{ask}"
why: "{why}"
```
"""
_KO: Final = {
    "title": "새 수업",
    "question": "**오늘의 질문.** 무엇을 알아보나요?",
    "heading": "1. 첫 할 일",
    "text": "먼저 설명하고, 그다음에 해 봅니다.",
    "do": "이미지를 **2.0.0**으로 바꾸세요.",
    "same": "적힌 이미지가 아직 {version}입니다.",
    "hint": "위의 명령을 그대로 붙여 넣으세요.",
    "ask": "지금 revision 번호는 몇입니까?",
    "why": "템플릿이 바뀔 때마다 하나씩 늘어납니다.",
}
_EN: Final = {
    "title": "A new lesson",
    "question": "**Today's question.** What is this about?",
    "heading": "1. The first task",
    "text": "Tell first, then show.",
    "do": "Change the image to **2.0.0**.",
    "same": "The image written is still {version}.",
    "hint": "Paste the command above as it is.",
    "ask": "What is the revision number now?",
    "why": "It goes up by one with each change of the template.",
}
_CHECKS: Final = '''"""What this lesson checks."""

from __future__ import annotations

from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen

checks = Checks()


@checks.task("new-version")
def new_version(see: Seen) -> Outcome:
    return Passed() if see.version == "2.0.0" else NotYet("same-image", version=see.version)


@checks.breaks("new-version")
def new_version_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != "2.0.0" else None


@checks.answer("revision", after="new-version")
def revision(see: Seen) -> int:
    return see.revision
'''
_SOLUTION: Final = """new-version:
  solve:
    - set-image: {version: 2.0.0}
"""


def new_lesson(root: Path, name: str) -> Path:
    """Write the files of a lesson ``NN-slug`` below `root`; its folder. Raises LessonError if it is there."""
    match = SLUG.fullmatch(name)
    if match is None:
        raise LessonError(f'"{name}": a lesson\'s folder is called NN-slug, like 11-my-lesson')
    folder = root / name
    if folder.exists() or any(root.glob(f"{match[1]}-*")):
        raise LessonError(f"{folder}: there is a lesson {match[1]} already; take another number")
    folder.mkdir(parents=True)
    for lang, words in (("ko", _KO), ("en", _EN)):
        (folder / f"index.{lang}.md").write_text(_INDEX.format(number=match[1], **words), encoding="utf-8")
    (folder / "checks.py").write_text(_CHECKS, encoding="utf-8")
    (folder / "solution.yaml").write_text(_SOLUTION, encoding="utf-8")
    return folder
