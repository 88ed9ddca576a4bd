"""The figures that runs keep from now on, counted once for the runs that are there already."""

from django.db import migrations
from django.db.models import Count

from bocage.organisations.tenancy import across

_BATCH = 500


def count_what_is_there(apps, schema_editor):
    run, proposal, decision = (apps.get_model("decisions", name) for name in ("Run", "Proposal", "Decision"))
    with across():
        made = dict(proposal.objects.filter(run__state="terminee").order_by().values_list("run").annotate(Count("pk")))
        # One first decision a proposal: those that replace another one are left out. Grouped in one pass: run by run, a server of
        # 20,000 runs without statistics took more than ten minutes.
        first = decision.objects.filter(replaces__isnull=True).order_by()
        decided = dict(first.values_list("proposal__run").annotate(Count("pk")))
        counted = [run(pk=pk, proposed=n, undecided=n - decided.get(pk, 0)) for pk, n in made.items()]
        run.objects.bulk_update(counted, ["proposed", "undecided"], batch_size=_BATCH)


class Migration(migrations.Migration):
    dependencies = [("decisions", "0002_figures_of_runs_kept")]
    operations = [migrations.RunPython(count_what_is_there, migrations.RunPython.noop)]
