"""A timetable of lessons for a workshop of so many minutes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollout_lab.course.lesson import Lesson

OPENING = 5  # minutes to look at the page and the curl loop together
BREAK_AFTER = 60  # minutes of lessons after which people need a break
BREAK = 10
CORE = (5, 7, 1, 6, 8, 2, 4, 3, 9, 11, 12, 10)
"""The order in which lessons are dropped from the end when time is short: the two lectures come first."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`start` and `minutes` from the beginning; `lesson` is None for the opening and breaks (`kind`)."""

    start: int
    minutes: int
    kind: str  # opening | lesson | break | questions
    lesson: Lesson | None = None


def schedule(lessons: Sequence[Lesson], minutes: int) -> list[Slot]:
    """The lessons that fit into `minutes`, most important first chosen, then in their order, with breaks."""
    by_number = {lesson.number: lesson for lesson in lessons}
    rank = [by_number[n] for n in CORE if n in by_number]
    rank += [lesson for lesson in lessons if lesson.number not in CORE]
    chosen: list[Lesson] = []
    for lesson in rank:
        if _length([*chosen, lesson]) <= minutes:
            chosen.append(lesson)
    slots = _placed(sorted(chosen, key=lambda lesson: lesson.number))
    left = minutes - (slots[-1].start + slots[-1].minutes)
    return [*slots, Slot(minutes - left, left, "questions")] if left > 0 else slots


def _length(chosen: Sequence[Lesson]) -> int:
    last = _placed(chosen)[-1]
    return last.start + last.minutes


def _placed(chosen: Sequence[Lesson]) -> list[Slot]:
    slots, at, worked = [Slot(0, OPENING, "opening")], OPENING, 0
    for lesson in chosen:
        if worked and worked + lesson.minutes > BREAK_AFTER:
            slots.append(Slot(at, BREAK, "break"))
            at, worked = at + BREAK, 0
        slots.append(Slot(at, lesson.minutes, "lesson", lesson))
        at, worked = at + lesson.minutes, worked + lesson.minutes
    return slots
