"""The desk's forms: shape only; what is allowed is the door's to say."""

from __future__ import annotations

from django import forms
from django.http import QueryDict


class NewStudy(forms.Form):
    code = forms.SlugField(max_length=40, help_text="Short, for addresses: a letter, then letters, digits, hyphens.")
    title = forms.CharField(max_length=200)
    protocol = forms.ChoiceField(choices=())
    plan = forms.ChoiceField(choices=(), required=False, label="Analysis plan")
    index_level_shown = forms.BooleanField(required=False, initial=True, label="Show the index level to readers")

    def __init__(
        self, data: QueryDict | None = None, *, protocols: list[tuple[str, str]], plans: list[tuple[str, str]]
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
