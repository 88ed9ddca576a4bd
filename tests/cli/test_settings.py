"""Settings: what cannot be read stops the start with one sentence that gives no secret away; what is kept, is kept for this account."""

from __future__ import annotations

import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.errors import InvalidSetting
from bocage.organisations.private_files import check_private_files
from bocage.setting_values import database_of, folder_of, hosts_of, private_umask, secret_key_in
from bocage.settings import read_flag, read_int, read_setting
from tests.servers import server

HOME = Path("home")


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BOCAGE_HTTPS", "true", "il faut 1"),
        ("BOCAGE_DEMO", "oui", "il faut 1"),
        ("BOCAGE_TRUSTED_PROXY", "nginx", "adresse IP"),
        ("BOCAGE_TIME_ZONE", "Europe/Pariss", "Europe/Paris"),
        ("BOCAGE_ALLOWED_HOSTS", "https://ia.brenoux.example/", "sans https://"),
        ("BOCAGE_ALLOWED_HOSTS", "ia.brenoux.example:8000", "ni port"),
        ("BOCAGE_ALLOWED_HOSTS", " , ", "un nom de machine"),
        ("BOCAGE_DASK", "foo", "tcp://"),
        ("BOCAGE_HOME", "/etc/passwd", "un dossier"),
        ("BOCAGE_UPLOAD_MB", "0", "nombre entier"),
        ("BOCAGE_DATABASE_URL", "postgresql://bocage:SESAME/x@db/bocage", "%2F"),
        ("BOCAGE_SMTP_URL", "smtp://bocage:SESAME@mail:99999", "le port"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_start_with_one_sentence(tmp_path: Path, name: str, value: str, said: str):
    with server(tmp_path / "home") as own:
        own.environ[name] = value
        refused = own.bocage("migrate")
    assert refused.returncode == 2 and "(reglage-invalide)" in refused.stderr and name in refused.stderr
    assert said in " ".join(refused.stderr.split()) and "Traceback" not in refused.stderr and "SESAME" not in refused.stderr


@pytest.mark.parametrize(("value", "on"), [("", False), ("0", False), ("1", True)])
def test_a_switch_is_on_or_off(value: str, on: bool):
    assert read_flag("BOCAGE_HTTPS", {"BOCAGE_HTTPS": value}) is on


def test_a_secret_in_a_file_saved_by_windows_is_read_without_its_mark(tmp_path: Path):
    (tmp_path / "key").write_bytes("\ufeffclé\r\n".encode())
    assert read_setting("BOCAGE_LLM_KEY", {"BOCAGE_LLM_KEY_FILE": str(tmp_path / "key")}) == "clé"


def test_a_number_beyond_all_reason_is_refused():
    with pytest.raises(InvalidSetting, match="999 999 999"):
        read_int("BOCAGE_UPLOAD_MB", {"BOCAGE_UPLOAD_MB": "9" * 5000})


def test_every_parameter_of_the_database_s_address_reaches_postgresql():
    found = database_of("postgresql://bocage:p%40s%2Fs@db.example:5433/portail?sslmode=verify-full&connect_timeout=5", HOME)
    assert found["OPTIONS"] == {"sslmode": "verify-full", "connect_timeout": "5"}
    assert [found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == ["portail", "bocage", "p@s/s", "db.example", "5433"]
    by_socket = database_of("postgresql:///portail?host=/run/postgresql", HOME)
    assert (by_socket["HOST"], by_socket["NAME"]) == ("/run/postgresql", "portail")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bocage:SESAME#1@db/portail",
        "postgresql://bocage:SESAME@1@db/portail",
        "postgresql://bocage:SESAME/1@db/portail",
        "postgresql://bocage:SESAME%zz@db/portail",
        "postgresql://bocage:SESAME%80@db/portail",
        "postgresql://bocage:SESAME@db:abc/portail",
        "postgresql://bocage:SESAME@db:70000/portail",
        "postgresql://bocage:SESAME@db/",
        "postgresql://bocage:SESAME@db/portail?sslmod=require",
        "postgresql://bocage:SESAME@db/portail?sslmode=require#x",
        "mysql://bocage:SESAME@db/portail",
        "sqlite://SESAME",
        "sqlite:///",
        "sqlite:///var/SESAME?mode=ro",
        "SESAME",
    ],
)
def test_an_address_of_the_database_that_would_be_read_wrongly_is_refused_without_repeating_it(url: str):
    with pytest.raises(InvalidSetting, match="BOCAGE_DATABASE_URL") as refused:
        database_of(url, HOME)
    assert "SESAME" not in refused.value.message


@settings(max_examples=2_000)
@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=20))
def test_a_password_written_as_it_is_either_arrives_whole_or_is_refused_without_being_repeated(end: str):
    password = f"SESAME{end}"
    try:
        found = database_of(f"postgresql://bocage:{password}@db.example/portail", HOME)
    except InvalidSetting as refused:
        assert "SESAME" not in refused.message
    else:
        # A percent sign announces two digits: that, PostgreSQL alone decodes.
        assert "%" in password or (found["PASSWORD"], found["HOST"], found["NAME"]) == (password, "db.example", "portail")


def test_host_names_are_taken_as_django_compares_them():
    assert hosts_of("ia.brenoux.example, .brenoux.example,127.0.0.1,[::1]") == [
        "ia.brenoux.example",
        ".brenoux.example",
        "127.0.0.1",
        "[::1]",
    ]


def test_what_the_server_keeps_is_read_by_its_account_alone(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        home = tmp_path / "home"
        assert permissions(home) == 0o700
        kept = [path for path in home.iterdir() if path.is_file()]
        assert kept and all(permissions(path) == 0o600 for path in kept)


def test_a_folder_shared_with_a_group_stays_shared_with_it_and_with_nobody_else(tmp_path: Path):
    private = folder_of(tmp_path / "private")
    (shared := tmp_path / "shared").mkdir()
    shared.chmod(0o2770)
    (loose := tmp_path / "loose").mkdir()
    loose.chmod(0o755)
    assert [private_umask(home) for home in (private, shared, loose)] == [0o077, 0o007, 0o027]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; those of pytest lie in one that is closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_the_deploy_check_names_what_everybody_can_read(settings, monkeypatch, open_folder: Path):
    settings.HOME, database = open_folder, open_folder / "bocage.sqlite3"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(database))
    (open_folder / "secret_key").touch(0o600)
    database.touch(0o600)
    assert check_private_files(None) == []
    database.chmod(0o644)
    (warning,) = check_private_files(None)
    assert str(database) in warning.msg and "secret_key" not in warning.msg
    open_folder.chmod(0o700)
    assert check_private_files(None) == [], "nobody else enters the folder"


def test_first_starts_at_once_agree_on_one_key(tmp_path: Path):
    keys: list[str] = []
    starts = [threading.Thread(target=lambda: keys.append(secret_key_in(tmp_path))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(keys) == 8 and len(set(keys)) == 1 and len(keys[0]) > 60
    assert permissions(tmp_path / "secret_key") == 0o600 and [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_key_is_never_used(tmp_path: Path):
    (tmp_path / "secret_key").touch()
    with pytest.raises(InvalidSetting, match="est vide"):
        secret_key_in(tmp_path)


def test_a_full_disk_at_the_first_start_leaves_no_half_key(tmp_path: Path):
    resource = pytest.importorskip("resource")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Beyond this size the kernel refuses the write, as a full disk does. Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, allowed[1]))
    try:
        with pytest.raises(InvalidSetting, match="place sur le disque"):
            secret_key_in(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert not list(tmp_path.iterdir())
    assert secret_key_in(tmp_path) == secret_key_in(tmp_path)
