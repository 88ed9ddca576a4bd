"""On SQLite, REPLACE rewrote an entry without firing the triggers that refuse updates and deletions."""

from django.db import migrations

from bocage.journal.triggers import NO_REPLACE


def _forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(NO_REPLACE, None)


class Migration(migrations.Migration):
    dependencies = [("journal", "0002_append_only")]
    operations = [migrations.RunPython(_forwards, migrations.RunPython.noop)]
