"""Page of the desk: the facts of the study that its report prints."""

from __future__ import annotations

from itertools import groupby

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from annotation import desk
from annotation.people import person_of
from annotation.protocol import FactField
from annotation.web.desk import page_or_act, render_step


class FactsForm(forms.Form):
    """One field a fact; what may be stated is the door's to say."""

    def __init__(self, data: QueryDict | None, known: desk.Facts) -> None:
        super().__init__(data)
        self.parts: list[tuple[str, list[str]]] = []
        for part, group in groupby(known.stated, key=lambda one: one.field.part):
            members = list(group)
            self.parts.append((part, [one.field.code for one in members]))
            for one in members:
                self.fields[one.field.code] = _field(one.field, one.text)
        experience = [one.code for one in known.readers]
        self.parts = [(part, [*codes, *(experience if part == "Readers" else [])]) for part, codes in self.parts]
        for reader in known.readers:
            self.fields[reader.code] = forms.CharField(
                required=False,
                initial=reader.text,
                label=f"Experience of {reader.username}",
                help_text="By training and years, without a name. The report says R1, R2.",
            )

    def grouped(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(part, [self[code] for code in codes]) for part, codes in self.parts]


def _field(field: FactField, text: str) -> forms.CharField:
    widget: forms.Widget = forms.Textarea(attrs={"rows": 3}) if field.kind == "text" else forms.TextInput()
    return forms.CharField(
        required=False, initial=text, label=field.label, help_text=field.help, widget=widget, strip=True
    )


@login_required
@page_or_act
def facts(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    known = desk.facts(person, study)
    form = FactsForm(request.POST if request.method == "POST" else None, known)
    faulty = False
    if request.method == "POST" and form.is_valid():
        try:
            changed = desk.state_facts(person, study, {name: request.POST[name] for name in request.POST})
        except desk.BadFact as fault:
            faulty = True
            for name, sentence in fault.sentences.items():
                form.add_error(name if name in form.fields else None, sentence)
        else:
            said = (
                "One fact is changed."
                if changed == 1
                else f"{changed} facts are changed."
                if changed
                else "Nothing was changed."
            )
            messages.success(request, said)
            return redirect("desk_facts", study)
    answer = render_step(request, study, "facts", {"form": form, "facts": known})
    answer.status_code = 422 if faulty else 200
    return answer
