"""DOOR of the coordinator: cohort, roles, release, order, progress as counts, acts on record. Never a grade."""

from __future__ import annotations

from annotation.desk.acts import NotConfirmed, begin_reading, close, freeze, unblind
from annotation.desk.board import Board, ProgressRow, StudyStep, board, events, jobs_of, progress
from annotation.desk.cohort import (
    CaseRow,
    Page,
    SeriesRow,
    cases,
    find_case,
    preview,
    release,
    release_all,
    series_rows,
    set_level,
    set_role,
    withdraw,
)
from annotation.desk.order import Place, admit, ledger
from annotation.desk.setup import (
    BadSetting,
    Member,
    create_study,
    intake_target,
    may_create,
    members,
    protocols,
    remove_member,
    set_member,
)

__all__ = [
    "BadSetting",
    "Board",
    "CaseRow",
    "Member",
    "NotConfirmed",
    "Page",
    "Place",
    "ProgressRow",
    "SeriesRow",
    "StudyStep",
    "admit",
    "begin_reading",
    "board",
    "cases",
    "close",
    "create_study",
    "events",
    "find_case",
    "freeze",
    "intake_target",
    "jobs_of",
    "ledger",
    "may_create",
    "members",
    "preview",
    "progress",
    "protocols",
    "release",
    "release_all",
    "remove_member",
    "series_rows",
    "set_level",
    "set_member",
    "set_role",
    "unblind",
    "withdraw",
]
