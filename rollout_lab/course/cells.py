"""The few words of notebook cells that no lesson has, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KO: Final[Mapping[str, str]] = {
    "open": (
        "실습 환경을 엽니다. 처음에는 몇 초 걸립니다.\n\n"
        "글에 나오는 단추와 *오른쪽 그림*은 웹 페이지의 것입니다. 노트북에서는 글 아래의 칸을 실행하면 "
        "같은 일이 일어나고, 그림은 `lesson.watch(…)` 칸에서 움직입니다. "
        "명령이 없는 할 일은 직접 칸을 만들어 해 보세요. 예: `lesson.lab.rollout().promote()`"
    ),
    "speed": "1초에 흐르는 실습 시간(초)",
    "close": "끝나면 실습 환경을 닫습니다. 클러스터와 엔진이 함께 멈춥니다.",
    "task": "할 일",
    "hints": "막히면: 힌트 / 대신 해 주기",
    "predict": "예측",
    "quiz": "문제",
    "choices": "아래 낱말 가운데 하나를 적으세요.",
    "prints": "이렇게 나오면 됩니다.",
    "watch": "통과할 때까지 지켜보기 (■ 단추로 멈춤)",
    "chart": "무슨 일이 있었는지 시간 순서로 봅니다. 점선은 예측한 값입니다.",
    "exercise": "연습: 같은 일을 Python으로",
    "exercise-text": "`Lab`은 어디서나 쓸 수 있습니다. 값을 바꾸어 가며 다시 실행해 보세요.",
    "put-answer": "... 자리에 답을 적고 다시 실행하세요.",
    "kept": "적어 두었습니다. 맞았는지는 그 일이 일어난 뒤에 다시 실행하면 나옵니다.",
    "right": "맞았습니다.",
    "wrong": "아닙니다. 답은 {truth}입니다.",
    "no-hint": "힌트가 더 없습니다.",
    "passed": "통과했습니다.",
    "skipped": "건너뛰었습니다.",
    "broken": "다시 어긋났습니다.",
    "now": "아직입니다.",
    "locked": "앞의 할 일을 먼저 하세요.",
}
EN: Final[Mapping[str, str]] = {
    "open": (
        "Open the lab. The first time takes a few seconds.\n\n"
        "Buttons and *the picture on the right* are those of the page. Here the cell below the text does the "
        "same, and the picture moves in the cell `lesson.watch(…)`. "
        "Where a task has no command, add a cell and do it: `lesson.lab.rollout().promote()`, for example."
    ),
    "speed": "lab seconds in a second",
    "close": "When you are done, close the lab. Cluster and engine stop with it.",
    "task": "Task",
    "hints": "stuck? a hint / do it for me",
    "predict": "Predict",
    "quiz": "Question",
    "choices": "Write one of these words.",
    "prints": "It should print this.",
    "watch": "watch until it passed (■ stops)",
    "chart": "What happened, over time. Dashed lines are what you predicted.",
    "exercise": "Exercise: the same in Python",
    "exercise-text": "`Lab` can be used anywhere. Change a value and run it again.",
    "put-answer": "Write your answer in place of ... and run it again.",
    "kept": "Noted. Run it again when it has happened, and it says whether you were right.",
    "right": "Right.",
    "wrong": "No, it is {truth}.",
    "no-hint": "There are no more hints.",
    "passed": "Passed.",
    "skipped": "Skipped.",
    "broken": "It broke again.",
    "now": "Not yet.",
    "locked": "Do the task before it first.",
}


def cell(lang: str, key: str) -> str:
    """The words of `key`."""
    return (KO if lang == "ko" else EN)[key]
