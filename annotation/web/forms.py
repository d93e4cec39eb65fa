"""The desk's forms: shape only; what is allowed is the door's to say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

STANDING = {"acquired": "As they were acquired", "standard": "Turned to the standard view"}
"""How images stand in the room, in words."""


def _orientation() -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[*STANDING.items()],
        required=False,
        label="Images",
        help_text="A prone CT has the back up as acquired. Side letters come from the header in either case.",
    )


class Orientation(forms.Form):
    """How images stand in the room of a study that is not frozen yet."""

    orientation = _orientation()


class NewStudy(forms.Form):
    code = forms.SlugField(max_length=40, help_text="Short, for addresses: a letter, then letters, digits, hyphens.")
    title = forms.CharField(max_length=200)
    protocol = forms.ChoiceField(choices=())
    plan = forms.ChoiceField(choices=(), required=False, label="Analysis plan")
    segments = forms.ChoiceField(
        choices=[("index", "Index segment only"), ("adjacent", "With the segments beside it"), ("all", "All segments")],
        required=False,
        label="Segments asked",
    )
    sides = forms.ChoiceField(
        choices=[
            ("once", "Once, on the worse side"),
            ("both", "Right and left"),
            ("named", "Once, with the side named"),
        ],
        required=False,
        label="Findings that have sides",
    )
    orientation = _orientation()
    index_level_shown = forms.BooleanField(required=False, initial=True, label="Show the index level to readers")
    display_check = forms.BooleanField(
        required=False, initial=True, label="Ask readers for a look at a test pattern in each sitting"
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        protocols: list[tuple[str, str]],
        plans: list[tuple[str, str]],
        checks: list[tuple[str, str]],
    ) -> None:
        super().__init__(data)
        self.fields["protocol"] = forms.ChoiceField(choices=protocols)
        self.fields["plan"] = forms.ChoiceField(
            choices=plans,
            required=False,
            initial="full",
            label="Analysis plan",
            help_text="Frozen with the protocol. A later run by another plan is reported as a deviation.",
        )
        self.fields["checks_off"] = forms.MultipleChoiceField(
            choices=checks,
            required=False,
            label="Warnings to leave out",
            help_text="A warning never changes or blocks an answer. Those you mark here are not given in this study.",
            widget=forms.CheckboxSelectMultiple,
        )

    def settings(self) -> dict[str, Any]:
        """Give the settings that were chosen; what is as usual is not said."""
        given = self.cleaned_data
        said: dict[str, Any] = {"index_level_shown": given["index_level_shown"]}
        usual = {
            "segments": "index",
            "sides": "once",
            "orientation": "acquired",
            "checks_off": [],
            "display_check": True,
        }
        return said | {name: given[name] for name, value in usual.items() if given[name] not in ("", value)}


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(
        choices=[
            ("reader", "Reader"),
            ("analyst", "Analyst"),
            ("coordinator", "Coordinator"),
            ("outcome_entry", "Outcome entry"),
            ("adjudicator", "Adjudicator"),
        ]
    )


class Confirmed(forms.Form):
    """A dangerous act: the reason, and the study's code typed by hand."""

    reason = forms.CharField(max_length=500, label="Reason (kept in the trail)")
    typed_code = forms.CharField(max_length=40, label="Study code, typed to confirm")
