"""The journal refuses updates and deletions by the database itself."""

from django.db import migrations

from bocage.journal.triggers import create_statements, drop_statements


def _forwards(apps, schema_editor):
    for statement in create_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


def _backwards(apps, schema_editor):
    for statement in drop_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(_forwards, _backwards)]
