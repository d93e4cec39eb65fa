"""Two ways around the triggers of 0002: SQLite's OR REPLACE deletes without a delete trigger, PostgreSQL's TRUNCATE
without a row trigger."""

from django.db import migrations

KEYS = {
    "annotation_revision": ("id", "assignment_id, number"),
    "annotation_event": ("id", "study_id, number"),
    "annotation_clinicalvalue": ("id",),
}
PLACES = ("id", "reader_id, case_id, form, round, occasion", "study_id, reader_id, form, round, position")


def same(keys):
    return " OR ".join(
        "(" + " AND ".join(f"k.{column} = NEW.{column}" for column in key.split(", ")) + ")" for key in keys
    )


SQLITE = [
    *(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} k WHERE {same(keys)}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept as they are'); END"
        for table, keys in KEYS.items()
    ),
    *(
        f"CREATE TRIGGER annotation_assignment_no_replace_by_{verb.lower()} BEFORE {verb} ON annotation_assignment "
        f"WHEN EXISTS (SELECT 1 FROM annotation_assignment k WHERE k.locked_revision_id IS NOT NULL AND ({same(PLACES)})) "
        "BEGIN SELECT RAISE(ABORT, 'this reading is locked; a lock is final'); END"
        for verb in ("INSERT", "UPDATE")
    ),
]
POSTGRESQL = [
    *(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION spondy_kept()"
        for table in KEYS
    ),
    "CREATE TRIGGER annotation_assignment_no_truncate BEFORE TRUNCATE ON annotation_assignment "
    "EXECUTE FUNCTION spondy_locked()",
]


def guard(apps, schema_editor):
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, None)


def unguard(apps, schema_editor):
    on_table = schema_editor.connection.vendor == "postgresql"
    for statement in POSTGRESQL if on_table else SQLITE:
        words = statement.split()
        schema_editor.execute(f"DROP TRIGGER {words[2]}" + (f" ON {words[6]}" if on_table else ""))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_append_only_and_final_locks")]

    operations = [migrations.RunPython(guard, unguard)]
