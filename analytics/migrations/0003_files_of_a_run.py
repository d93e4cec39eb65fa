from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def keep_their_program(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    run = apps.get_model("analytics", "Run")
    for one in run.objects.only("versions").iterator():
        run.objects.filter(pk=one.pk).update(program=str(one.versions.get("spondy", ""))[:40])


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_figures_of_a_run")]

    operations = [
        migrations.AddField("run", "program", models.CharField(default="", max_length=40)),
        migrations.AddField("run", "basis", models.JSONField(default=dict)),
        migrations.AddField("run", "archive", models.CharField(default="", max_length=200)),
        migrations.AddField("run", "page", models.CharField(default="", max_length=200)),
        migrations.RunPython(keep_their_program, migrations.RunPython.noop),
        migrations.RemoveField("run", "figures"),
        migrations.RemoveConstraint("run", "asked_twice_computed_once"),
        migrations.AddConstraint(
            "run",
            models.UniqueConstraint(
                fields=["study", "layer", "plan_digest", "rows_digest", "seed", "program"],
                name="asked_twice_computed_once",
            ),
        ),
    ]
