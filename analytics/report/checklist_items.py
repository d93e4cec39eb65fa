"""The items of four reporting checklists, numbered as in the originals, in own short words, and what answers them here.

Each item names the sections of this report that answer it, the stated facts it asks for, and what only the authors can
write. GRRAS: Kottner 2011. STROBE: von Elm 2007. STARD 2015: Bossuyt 2015. TRIPOD+AI: Collins 2024.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHECKLISTS", "Item"]


class Item(NamedTuple):
    """One item: number, what it asks, sections that answer it, facts it asks for, what is left to the authors."""

    number: str
    asks: str
    sections: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    left: str = ""


DESIGN, CARE, READ, STAT = "methods_patients", "methods_care", "methods_reading", "methods_statistics"
WRITE, DISCUSS = "write it", "discuss it"

GRRAS = (
    Item("1", "Title or abstract says that reliability or agreement was studied", left=WRITE),
    Item("2", "What is graded or measured is named and described", (READ,)),
    Item("3", "Subjects of interest are specified", (DESIGN,), ("inclusion",)),
    Item("4", "Readers of interest are specified", (READ,), left="say to which readers the result is meant to apply"),
    Item("5", "What is known of reliability before, and why this study", left=WRITE),
    Item("6", "How the numbers of subjects, readers and readings came about", (READ,), ("sample_size",)),
    Item("7", "How subjects and readers were sampled", (DESIGN,), ("recruitment",)),
    Item("8", "How reading went: times, conditions, blinding", (READ, "imaging"), ("clinical_blind",)),
    Item("9", "Whether readings were independent", (READ,)),
    Item("10", "Statistical analysis", (STAT,)),
    Item("11", "Actual numbers of readers, subjects and readings", ("patients", "imaging")),
    Item("12", "Readers and subjects are described", ("patients", READ), ("readers",)),
    Item("13", "Estimates with measures of their uncertainty", ("agreement", "agreement_more")),
    Item("14", "What the results mean for practice", left=DISCUSS),
    Item("15", "Detailed results are provided", ("crossed", "agreement_more")),
)
STROBE = (
    Item("1a", "Design in title or abstract", (), ("design",), "use it in the title"),
    Item("1b", "Informative and balanced abstract", left=WRITE),
    Item("2", "Background and rationale", left=WRITE),
    Item("3", "Objectives and hypotheses", left=WRITE),
    Item("4", "Key elements of the design", (DESIGN,), ("design",)),
    Item("5", "Setting, places, dates, follow-up", (DESIGN,), ("centre", "period_begin", "period_end", "follow_up")),
    Item("6a", "Eligibility, sources and selection of participants", (DESIGN,), ("inclusion", "recruitment")),
    Item("7", "Outcomes, predictors, confounders defined", (CARE, READ)),
    Item("8", "Sources and methods of measurement", (CARE, READ), ("follow_up",)),
    Item("9", "Efforts against bias", (READ,), ("clinical_blind",)),
    Item("10", "How the study size was arrived at", (), ("sample_size",)),
    Item("11", "How quantitative variables were handled", (STAT,)),
    Item("12a", "Statistical methods, control of confounding", (STAT,)),
    Item("12b", "Subgroups and interactions", ("covariates", "sensitivity"), left="say which were planned"),
    Item("12c", "How missing data were addressed", (STAT,)),
    Item("12d", "How loss to follow-up was addressed", ("pain",), left="say why follow-up is missing"),
    Item("12e", "Sensitivity analyses", ("sensitivity", "fits")),
    Item("13a", "Numbers at each stage", ("patients",)),
    Item("13b", "Reasons for non-participation", ("patients",)),
    Item("13c", "Flow diagram", ("patients",)),
    Item("14a", "Characteristics of participants", ("patients",)),
    Item("14b", "Participants with missing data, by variable", ("imaging", "patients")),
    Item("14c", "Follow-up time", (), ("follow_up",)),
    Item("15", "Outcome events over time", ("pain",)),
    Item("16a", "Unadjusted and adjusted estimates with intervals", ("association", "by_success", "models")),
    Item("16b", "Category boundaries of continuous variables", ("pain",)),
    Item("16c", "Relative into absolute risk where relevant", ("by_success",)),
    Item("17", "Other analyses", ("sensitivity", "layers")),
    Item("18", "Key results by objective", left=WRITE),
    Item("19", "Limitations, direction and size of bias", left=DISCUSS),
    Item("20", "Cautious interpretation", left=DISCUSS),
    Item("21", "Generalisability", left=DISCUSS),
    Item("22", "Funding and role of the funders", (), ("funding",)),
)
STARD = (
    Item("1", "Title or abstract names a measure of accuracy", left=WRITE),
    Item("2", "Structured abstract", left=WRITE),
    Item("3", "Background, intended use of the test", left=WRITE),
    Item("4", "Objectives and hypotheses", left=WRITE),
    Item("5", "Prospective or retrospective data collection", (DESIGN,), ("design",)),
    Item("6", "Eligibility criteria", (DESIGN,), ("inclusion",)),
    Item("7", "On what basis eligible participants were identified", (DESIGN,), ("recruitment",)),
    Item("8", "Where and when", (DESIGN,), ("centre", "period_begin", "period_end")),
    Item("9", "Consecutive, random or convenience series", (), ("recruitment",)),
    Item("10a", "Index test in enough detail", (CARE, READ, "imaging"), ("mri_scanners", "ct_scanners")),
    Item("10b", "Reference standard in enough detail", (CARE,), ("follow_up",)),
    Item("11", "Rationale for the reference standard", left=WRITE),
    Item("12a", "Cut-offs of the index test, pre-specified or not", (STAT,)),
    Item("12b", "Cut-offs of the reference standard, pre-specified or not", (CARE,)),
    Item("13a", "Clinical information and reference result known to readers", (READ,), ("clinical_blind",)),
    Item("13b", "Index test known to assessors of the reference", (), ("follow_up",)),
    Item("14", "Methods for estimating accuracy", (STAT,)),
    Item("15", "Indeterminate results", ("imaging",)),
    Item("16", "Missing data of test and reference", (STAT, "imaging")),
    Item("17", "Variability in accuracy, pre-specified or exploratory", ("models", "sensitivity")),
    Item("18", "Intended sample size and how determined", (), ("sample_size",)),
    Item("19", "Flow of participants by diagram", ("patients",)),
    Item("20", "Baseline characteristics", ("patients",)),
    Item("21a", "Distribution of severity in those with the condition", ("pain",)),
    Item("21b", "Distribution of alternative diagnoses in the others", left="say whether any were sought"),
    Item("22", "Interval and interventions between test and reference", (CARE,), ("intervention",)),
    Item("23", "Cross tabulation of test and reference", ("fits", "by_success")),
    Item("24", "Accuracy with its precision", ("models",)),
    Item("25", "Adverse events of test or reference", left="state them; the program does not ask for them"),
    Item("26", "Limitations", left=DISCUSS),
    Item("27", "Implications for practice", left=DISCUSS),
    Item("28", "Registration number and register", (), ("registration",)),
    Item("29", "Where the full protocol can be read", (), ("protocol_access",)),
    Item("30", "Funding and role of funders", (), ("funding",)),
)
TRIPOD = (
    Item("1", "Title: development or evaluation, population, outcome", left=WRITE),
    Item("2", "Abstract after TRIPOD+AI for abstracts", left=WRITE),
    Item("3a", "Context and rationale, existing models", left=WRITE),
    Item("3b", "Target population and intended purpose", left=WRITE),
    Item("3c", "Known health inequalities", left=WRITE),
    Item("4", "Objectives: development, evaluation or both", left=WRITE),
    Item("5a", "Sources of data and how representative", (DESIGN,), ("design", "recruitment")),
    Item("5b", "Dates of the data", (), ("period_begin", "period_end")),
    Item("6a", "Setting, number and place of centres", (), ("centre",)),
    Item("6b", "Eligibility criteria", (DESIGN,), ("inclusion",)),
    Item("6c", "Treatments received", (CARE,), ("intervention",)),
    Item("7", "Preparation and quality of data", (READ,)),
    Item("8a", "Outcome, time horizon and assessment", (CARE,)),
    Item("8b", "Outcome assessors' qualification, if subjective", (), ("follow_up",)),
    Item("8c", "Blinding of outcome assessment", left="say whether who asked knew the images"),
    Item("9a", "Choice of predictors", (READ, STAT)),
    Item("9b", "Predictors and how they were measured", (READ,)),
    Item("9c", "Predictor assessors' qualification, if subjective", (READ,), ("readers",)),
    Item("10", "Study size, with its justification", (), ("sample_size",)),
    Item("11", "Handling of missing data", (STAT,)),
    Item("12a", "How data were used and split", (STAT,)),
    Item("12b", "Handling of predictors in the analysis", (STAT,)),
    Item("12c", "Type of model, building steps, internal validation", (STAT, "predictions")),
    Item("12d", "Heterogeneity between clusters", left="one centre: say so, or compare centres"),
    Item("12e", "Measures of performance", (STAT, "models")),
    Item("12f", "Model updating", left="none was done by this program"),
    Item("12g", "How predictions were calculated", (STAT,)),
    Item("13", "Class imbalance", left="none was corrected by this program"),
    Item("14", "Approaches to fairness", left=WRITE),
    Item("15", "Output of the model and thresholds", (STAT,)),
    Item("16", "Differences of development and evaluation data", left="no outside data were used"),
    Item("17", "Ethical approval and consent", (), ("ethics_committee", "ethics_number", "consent")),
    Item("18a", "Funding", (), ("funding",)),
    Item("18b", "Conflicts of interest", (), ("interests",)),
    Item("18c", "Where the protocol can be read", (), ("protocol_access",)),
    Item("18d", "Registration", (), ("registration",)),
    Item("18e", "Availability of data", (), ("data_access",)),
    Item("18f", "Availability of code", left="name the program's version; the bundle re-runs the analysis"),
    Item("19", "Patient and public involvement", (), ("involvement",)),
    Item("20a", "Flow of participants, with and without outcome", ("patients", "pain")),
    Item("20b", "Characteristics overall and missing data", ("patients", "imaging")),
    Item("20c", "Comparison with development data", left="no outside data were used"),
    Item("21", "Participants and events in each analysis", ("models", "fits")),
    Item("22", "The full model", ("models", "fits")),
    Item("23a", "Performance with intervals, also in subgroups", ("models", "predictions")),
    Item("23b", "Heterogeneity in performance", ("models",)),
    Item("24", "Results of updating", left="none was done by this program"),
    Item("25", "Interpretation, fairness included", left=DISCUSS),
    Item("26", "Limitations and their effects", left=DISCUSS),
    Item("27a", "How poor or missing input is handled in use", left=DISCUSS),
    Item("27b", "Whether users must interact with the input, and their expertise", left=DISCUSS),
    Item("27c", "Next steps for research", left=DISCUSS),
)
CHECKLISTS: dict[str, tuple[str, tuple[Item, ...]]] = {
    "grras": ("GRRAS: reliability and agreement", GRRAS),
    "strobe": ("STROBE: observational study", STROBE),
    "stard": ("STARD 2015: diagnostic accuracy", STARD),
    "tripod": ("TRIPOD+AI: prediction models", TRIPOD),
}
