"""What the models say about rows that are never changed, said again to raw SQL."""

from django.db import migrations

APPEND_ONLY = ("annotation_revision", "annotation_event", "annotation_clinicalvalue")

SQLITE = [
    *(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept as they are'); END"
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
    "CREATE TRIGGER annotation_revision_not_after_lock BEFORE INSERT ON annotation_revision "
    "WHEN EXISTS (SELECT 1 FROM annotation_assignment a WHERE a.id = NEW.assignment_id "
    "AND a.locked_revision_id IS NOT NULL) "
    "BEGIN SELECT RAISE(ABORT, 'this reading is locked; a lock is final'); END",
    "CREATE TRIGGER annotation_assignment_lock_is_final BEFORE UPDATE ON annotation_assignment "
    "WHEN OLD.locked_revision_id IS NOT NULL "
    "BEGIN SELECT RAISE(ABORT, 'this reading is locked; a lock is final'); END",
    "CREATE TRIGGER annotation_assignment_no_delete BEFORE DELETE ON annotation_assignment "
    "WHEN OLD.locked_revision_id IS NOT NULL "
    "BEGIN SELECT RAISE(ABORT, 'this reading is locked; a lock is final'); END",
]

POSTGRESQL = [
    """CREATE FUNCTION spondy_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% rows are kept as they are', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE FUNCTION spondy_locked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this reading is locked; a lock is final'
    USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    # FOR SHARE: an insert beside a lock that is just being set waits for it and then sees it.
    """CREATE FUNCTION spondy_not_after_lock() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM annotation_assignment a WHERE a.id = NEW.assignment_id FOR SHARE;
      IF EXISTS (SELECT 1 FROM annotation_assignment a WHERE a.id = NEW.assignment_id
                 AND a.locked_revision_id IS NOT NULL) THEN
        RAISE EXCEPTION 'this reading is locked; a lock is final' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NEW;
    END $$""",
    *(
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION spondy_kept()"
        for table in APPEND_ONLY
    ),
    "CREATE TRIGGER annotation_revision_not_after_lock BEFORE INSERT ON annotation_revision "
    "FOR EACH ROW EXECUTE FUNCTION spondy_not_after_lock()",
    "CREATE TRIGGER annotation_assignment_lock_is_final BEFORE UPDATE OR DELETE ON annotation_assignment "
    "FOR EACH ROW WHEN (OLD.locked_revision_id IS NOT NULL) EXECUTE FUNCTION spondy_locked()",
]


def guard(apps, schema_editor):
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, None)  # None: a per cent sign in it is no placeholder


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in ("spondy_kept", "spondy_locked", "spondy_not_after_lock"):
            schema_editor.execute(f"DROP FUNCTION {name}() CASCADE")
        return
    for statement in SQLITE:
        schema_editor.execute(f"DROP TRIGGER {statement.split()[2]}")


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_tables")]

    operations = [migrations.RunPython(guard, unguard)]
