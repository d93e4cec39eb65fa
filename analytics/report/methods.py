"""The Methods, written from what the study has fixed, from what people stated, and from what was computed."""

from __future__ import annotations

from analytics.report.agreement import scored
from analytics.report.document import Paragraph, Section, plain, stated
from analytics.report.facts import ANOTHER, AS_FROZEN, ITS_PART, NONE_FROZEN, StudyFacts
from analytics.report.prose import LEVEL, Prose, fixed, listed, see
from analytics.report.text import items, readers_of
from analytics.stats.result import Results

__all__ = ["methods"]

ALPHA = fixed("0.05", "alpha")


def methods(results: Results, about: StudyFacts) -> list[Section]:
    """Write the Methods; a sentence whose fact nobody stated is left out and stands among the open points."""
    parts = {
        "methods_patients": ("Design and patients", _patients(results, about)),
        "methods_care": ("Injection, imaging and pain", _care(results, about)),
        "methods_reading": ("Reading", _reading(results, about)),
        "methods_statistics": ("Statistics", _statistics(results, about)),
    }
    return [
        Section(code, title, tuple(Paragraph(" ".join(filter(None, text))) for text in paragraphs if any(text)), 2)
        for code, (title, paragraphs) in parts.items()
        if any(any(text) for text in paragraphs)
    ]


def _sentence(text: str) -> str:
    return f"{text}." if text and not plain(text).endswith((".", "!", "?")) else text


def _told(about: StudyFacts, code: str, before: str = "") -> str:
    """Give a stated text as a sentence of its own."""
    return _sentence(f"{before}{about.said(code)}") if about.has(code) else ""


def _patients(results: Results, about: StudyFacts) -> list[list[str]]:
    begin, end = about.said("period_begin"), about.said("period_end")
    approved = about.said("ethics_committee") and _sentence(
        f"Approval: {about.said('ethics_committee')}"
        + (f", number {about.said('ethics_number')}" if about.has("ethics_number") else "")
    )
    return [
        [
            "All data of this report are synthetic; no patient was studied." if about.synthetic else "",
            _told(about, "design", "Design: "),
            _told(about, "centre", "Centre: "),
            f"Injections from {begin} to {end} were considered." if begin and end else "",
            _told(about, "inclusion", "Included were patients as follows: "),
            _told(about, "recruitment"),
            f"Reasons for exclusion are listed{see('flow')}; a patient with several counts under the first."
            if results.subject.get("exclusions")
            else "",
        ],
        [
            approved,
            _told(about, "consent", "Consent: "),
            _told(about, "registration", "Registration: "),
            _told(about, "sample_size", "Number of patients: "),
        ],
    ]


def _care(results: Results, about: StudyFacts) -> list[list[str]]:
    scanned = bool(results.subject.get("series"))
    pain = [
        f"Pain was rated from {fixed('0', 'nrs')} (none) to {fixed('10', 'nrs')} (worst imaginable) before the "
        f"injection, {fixed('15', 'times')} minutes and {fixed('1', 'times')} month after it.",
        _told(about, "follow_up"),
        "Pain reduction is the fall of the score in percent of the score before; where that was zero, it is undefined.",
        f"Success is a reduction of at least {fixed('50 %', 'success')}, decided on the scores, without rounding.",
    ]
    return [
        [_told(about, "intervention", "Injection: "), _told(about, "operators", "Injections were given by: ")],
        [
            _told(about, "mri_scanners", "MRI: "),
            _told(about, "ct_scanners", "CT: "),
            f"Scanning parameters were taken from the image headers{see('fields')}." if scanned else "",
        ],
        pain if results.subject["has_outcomes"] else [],
    ]


BLIND_HERE = (
    "Each reader read alone, in an own random order, without names, clinical data, outcomes or the other's answers."
)
BLIND_ELSEWHERE = (
    "Each reader answered alone, in an own random order; the program showed neither clinical data nor outcomes nor "
    "the other's answers. Images were viewed outside it; what they showed besides, it did not control."
)


def _reading(results: Results, about: StudyFacts) -> list[list[str]]:
    words = Prose(results)
    readers = [
        f"{name} ({about_reader(about, name)})" if name in about.readers else name for name in readers_of(results)
    ]
    count = words.count("study/readers", "n") if words.has("study/readers") else "The"
    said = [f"{count} readers graded the cases: {listed(readers)}."]
    if about.settings:
        said += [
            f"Questions, levels and checks were fixed as {about.setting('instrument')} (digest "
            f"{about.setting('protocol_digest')}){_on(about, 'frozen')}.",
            BLIND_ELSEWHERE if about.settings.get("images") == "none" else BLIND_HERE,
            f"Findings with sides were asked {about.setting('sides')}; segments asked: {about.setting('segments')}.",
            f"The index level was {about.setting('index_level')} to the readers.",
            f"Every answer was kept; readings were locked{_on(about, 'locked')} before outcomes were joined"
            f"{_on(about, 'unblinded')}.",
        ]
    graded = [f"{_inside(item['title'])} ({item['unit'] or 'graded'})" for item in items(results)]
    return [
        [*said, _told(about, "training", "Training: "), _told(about, "clinical_blind", "Known to the readers: ")],
        [f"They judged {listed(graded)}." if graded else ""],
    ]


def about_reader(about: StudyFacts, name: str) -> str:
    """Print a reader's experience."""
    return stated(about.readers[name], f"facts/{name}")


def _inside(title: str) -> str:
    return title[:1].lower() + title[1:]


def _on(about: StudyFacts, step: str) -> str:
    day = about.on(step)
    return f" on {day}" if day else ""


OF_TWO = "Cohen's unweighted kappa with asymptotic standard error on complete pairs"
OF_SEVERAL = "Fleiss' unweighted kappa of all readers, with Conger's beside and Cohen's for each pair"
FAMILIES: tuple[tuple[str, str], ...] = (
    (
        "descriptive/",
        "Measurements are given as mean ± standard deviation and median with quartiles, the others as counts with "
        "percentages of the cases with a value.",
    ),
    ("wilcoxon/", "Scores at two times were compared with the Wilcoxon signed-rank test, zeros dropped."),
    ("mcnemar/", "Success at two times was compared with the exact McNemar test."),
    ("spearman/", "Scores were correlated after Spearman, with intervals after Fieller, Hartley and Pearson."),
    (
        "agreement/",
        f"Agreement on graded findings is {OF_TWO}, "
        "for ordered grades also linearly and quadratically weighted; on measurements the intraclass correlation, "
        "two-way, absolute agreement, single measures.",
    ),
    ("agreement/", "Words for agreement follow Landis and Koch, for the intraclass correlation Koo and Li."),
    (
        "chisq/",
        "Findings without an order and success were compared with Pearson's chi-square without continuity correction, "
        "beside Fisher's exact test where expected counts are small.",
    ),
    ("mwu/", "Ordered grades and measurements were compared with the Mann-Whitney U test, corrected for ties."),
    (
        "logistic/",
        "Success was modelled by binary logistic regression, maximum likelihood, on complete cases; ordered grades and "
        "measurements entered as numbers, the contrast pattern as indicators against peri-defect.",
    ),
    (
        "logistic/",
        "Separation was looked for before each fit. Explained variability is Nagelkerke's R². A case counts as "
        "predicted where its probability exceeds one half.",
    ),
    ("multiplicity/", "Families of all findings of one reader and time were adjusted after Holm, and others beside."),
    ("prediction/", "Performance was corrected for optimism by refitting in resampled cases."),
    ("ordinal/", "The six response classes were modelled by proportional odds as a sensitivity analysis."),
    ("ancova/", "The follow-up score was regressed on the baseline score and each finding as a sensitivity analysis."),
    ("change/", "Odds ratios of readers and times were compared by resampling cases."),
)


def _plan(results: Results, about: StudyFacts) -> list[str]:
    """Say what plan was run; that it was frozen only where it is the one the study froze."""
    digest = stated(str(results.plan["digest"])[:12], "plan/digest")
    run = f"({results.plan['title']}; digest {digest})"
    frozen = (
        f"The study froze the plan “{about.setting('plan')}” (digest {about.setting('plan_digest')})"
        f"{_on(about, 'frozen')} before the first reading."
    )
    return {
        AS_FROZEN: [f"The analysis plan {run} was frozen{_on(about, 'frozen')} before the first reading."],
        ITS_PART: [frozen, f"Of its questions only those that need no outcome are answered here {run}."],
        ANOTHER: [frozen, f"Another plan was run {run}; the deviations are listed below."],
        NONE_FROZEN: [f"The analysis followed a plan {run} that was not frozen before the first reading."],
    }[about.plan_of(results)]


def _statistics(results: Results, about: StudyFacts) -> list[list[str]]:
    words = Prose(results)
    said = [sentence for family, sentence in FAMILIES if any(True for _ in results.under(family))]
    if len(readers_of(results)) > 2:
        said = [sentence.replace(OF_TWO, OF_SEVERAL) for sentence in said]
    firth = any(entry.id.endswith("/firth") for entry in results.under("logistic/"))
    drawn = next((entry.id for entry in results.under("bootstrap/")), None)
    return [
        _plan(results, about),
        [
            *said,
            "Intervals of Cohen's kappa are score intervals, where they exist." if scored(results) else "",
            "Firth's penalty was used beside maximum likelihood." if firth else "",
            f"Bootstrap intervals rest on {words.count(drawn, 'replicates')} resamples of cases." if drawn else "",
        ],
        [
            f"Tests are two-sided at a level of {ALPHA}; intervals are {LEVEL} intervals.",
            "Nothing was imputed: tests and agreement use complete pairs, models complete cases.",
            "Numbers are rounded half up once, when they are printed.",
        ],
    ]
