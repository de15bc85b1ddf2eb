"""The course as data: lessons read from ``lessons/NN-slug/index.<lang>.md``.

Here lives reading and checking what an author wrote, with errors that name file, field and line.
Pages, buttons and clusters must not: a lesson is text, whoever shows it.
"""

from __future__ import annotations

from rollout_lab.course.lesson import Lesson, LessonError, Section, load_lesson, load_lessons

__all__ = ["Lesson", "LessonError", "Section", "load_lesson", "load_lessons"]
