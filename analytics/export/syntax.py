"""SPSS syntax that computes the main tables from the .sav file; GNU PSPP runs it too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from analytics.export.questions import Question
from analytics.stats.result import Results

__all__ = ["syntax"]

HEAD = """* Encoding: UTF-8.
* {title}.
* Made by Spondy. Each command names the line of estimates.csv it computes again.
* Open it in the folder of wide.sav (SPSS: first CD 'that folder').
* GNU PSPP 1.6.2: runs all of it. Its errors are named where they matter.
GET FILE='wide.sav'.
"""
WEIGHTED = """
* Weighted kappa: SPSS 27 and later have it in the menu Analyze > Scale > Weighted Kappa; PSPP has none.
* The R script computes it.
"""
ICC = """
* ICC, two-way, absolute agreement, single measures.
* PSPP 1.6.2 has no /ICC, so the command stands as a comment; in SPSS take the asterisk away.
"""
SPEARMAN = """
* Spearman: NONPAR CORR in SPSS; PSPP 1.6.2 has it in CROSSTABS, which SPSS has too.
"""
SETS = "* The readers used different sets of codes here: SPSS and PSPP refuse kappa or get it wrong; see the R script."
SE = """
* Kappa. The asymptotic standard error PSPP 1.6.2 prints has its margins exchanged; SPSS prints ase1.
"""


def syntax(results: Results, asked: Sequence[Question], sets_differ: Mapping[str, bool], title: str) -> str:
    """Write the syntax.

    Parameters
    ----------
    results : Results
        For what the main tables print.
    asked : sequence of Question
        What `questions` gave.
    sets_differ : mapping of str to bool
        By identifier of a kappa, whether the readers used different codes.
    title : str
        Of the study.
    """
    parts = [HEAD.format(title=title.replace("\n", " ")), SE]
    parts += [_kappa(one, sets_differ[one.id]) for one in asked if one.kind == "kappa_unweighted"]
    parts += [WEIGHTED, ICC, *(_icc(one) for one in asked if one.kind == "icc_a1")]
    parts += ["\n* Findings and success: tables.\n", *(_crossed(one) for one in asked if one.kind == "chisq")]
    parts += ["\n* Findings and success: ranks.\n", *(_ranks(one) for one in asked if one.kind == "mwu")]
    parts += ["\n* Pain over time.\n", *(_paired(one) for one in asked if one.kind in ("wilcoxon", "mcnemar"))]
    parts += [SPEARMAN, *(_spearman(one) for one in asked if one.kind == "spearman")]
    models = [one for one in asked if one.kind == "logistic"]
    parts += ["\n* Logistic models.\n", *("\n".join(_model(results, one)) + "\n" for one in models)]
    return "".join(parts)


def _said(id: str, command: str) -> str:
    return f"* {id} .\n{command}\n"


def _kappa(one: Question, differ: bool) -> str:
    first, second = one.columns
    command = f"CROSSTABS /TABLES={first} BY {second} /STATISTICS=KAPPA /CELLS=COUNT."
    return _said(one.id, f"{SETS}\n{command}" if differ else command)


def _icc(one: Question) -> str:
    names = " ".join(one.columns)
    said = f"* RELIABILITY /VARIABLES={names} /SCALE('all') ALL /MODEL=ALPHA"
    return _said(one.id, f"{said} /ICC=MODEL(MIXED) TYPE(ABSOLUTE) CIN=95 TESTVAL=0.")


def _crossed(one: Question) -> str:
    finding, outcome = one.columns
    return _said(one.id, f"CROSSTABS /TABLES={finding} BY {outcome} /STATISTICS=CHISQ PHI /CELLS=COUNT ROW EXPECTED.")


def _ranks(one: Question) -> str:
    finding, outcome = one.columns
    return _said(one.id, f"NPAR TESTS /MANN-WHITNEY={finding} BY {outcome}(0 1).")


def _paired(one: Question) -> str:
    first, second = one.columns
    test = "WILCOXON" if one.kind == "wilcoxon" else "MCNEMAR"
    return _said(one.id, f"NPAR TESTS /{test}={first} WITH {second} (PAIRED).")


def _spearman(one: Question) -> str:
    first, second = one.columns
    return _said(one.id, f"CROSSTABS /TABLES={first} BY {second} /FORMAT=NOTABLES /STATISTICS=CORR.")


def _model(results: Results, one: Question) -> Iterator[str]:
    """Write a model; a term that was left out still decides which cases are complete."""
    outcome = one.columns[0]
    yield f"* {one.id} ."
    if results.entry(one.id).values.get("separation") not in ("none", None):
        yield "* The outcome is separated: the figures of this command are no estimates."
    yield "TEMPORARY."
    everything = dict.fromkeys([outcome, *(term.column for term in one.terms)])
    yield f"SELECT IF NOT (MISSING({') OR MISSING('.join(everything)}))."
    names = []
    for number, term in enumerate(one.terms, start=1):
        if not term.varies:
            yield f"* {term.name} does not vary among the complete cases and is left out."
        elif term.code is None:
            names.append(term.column)
        else:
            name = f"t{number}"
            yield f"* {name} is {term.name}."
            yield f"COMPUTE {name} = ({term.column} = {term.code})."
            names.append(name)
    yield f"LOGISTIC REGRESSION VARIABLES={outcome} WITH {' '.join(names)}"
    yield "  /PRINT=CI(95) /CRITERIA=CUT(0.5) ITERATE(50) BCON(0.00000001)."
