"""Django's own commands, for operators who know them: ``python manage.py check --deploy``."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bocage.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
