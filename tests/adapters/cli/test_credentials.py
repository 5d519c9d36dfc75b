"""`watchword credentials`: the support desk sees what users enrolled, and changes nothing without saying so first."""

import base64
import io
import json
import os
import sqlite3
import stat
from contextlib import closing

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchword.contract.credentials import MAX_CREDENTIALS, Credential
from watchword.contract.kinds import User
from watchword.runtime.keyring import Keyring
from watchword.runtime.services import user_key
from watchword_adapters.cli import main
from watchword_adapters.cli.commands import credentials as command
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.credentials.export_file import export_lines, read_export
from watchword_adapters.credentials.import_plan import moved, planned
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp

POOL, OTHER = "eu-west-1_AbCdEf123", "eu-west-1_Other1234"
ANN, BOB = "7c1f0a52-0000-4000-8000-93a1f1d7c1aa", "7c1f0a52-0000-4000-8000-93a1f1d7c1bb"
DAY = 86_400
KEY = base64.b64encode(bytes(range(32))).decode()

TOTP = Credential(
    "phone", f"{POOL}#{ANN}", "totp", "Phone", 1_700_000_000, 1_700_000_060, state={"root": "ab12cd34", "step": "5"}
)
PASSKEY = Credential(
    "blue", f"{POOL}#{ANN}", "passkey", "Blue", 1_700_000_100, state={"key": "canary"}, version=3, rounds=("r",)
)
BOBS = Credential("bobs", f"{POOL}#{BOB}", "totp", "Bob's", 1_700_000_200, state={"root": "ffff0000", "step": "7"})
ELSEWHERE = Credential("elsewhere", f"{OTHER}#{ANN}", "passkey", "", 1_700_000_300, state={"key": "canary"})
ALL = (TOTP, PASSKEY, BOBS, ELSEWHERE)


@pytest.fixture(autouse=True)
def patient(monkeypatch, tmp_path):
    """Let the command wait for the file however slow the machine is; give it an empty folder and no settings."""
    monkeypatch.setattr(command, "WITHIN", 3600.0)
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store that the environment names, with credentials of three users in two pools."""
    monkeypatch.setenv("WATCHWORD_CREDENTIALS", f"sqlite:///{tmp_path}/credentials.db")
    with closing(SqliteCredentials(tmp_path / "credentials.db")) as store:
        for each in ALL:
            assert store.add(each, replace=False, most=20, within=3600.0)
        yield store


def everything(store):
    return sorted(store.everything(within=3600.0), key=str)


def run(capsys, *words):
    """The status, what is printed, and what is said on stderr."""
    status = main(["credentials", *words])
    out, err = capsys.readouterr()
    return status, out, err


def said(capsys, *words):
    """What is printed as JSON by a command that goes well."""
    status, out, err = run(capsys, *words, "--json")
    assert 0 == status, err
    return json.loads(out)


# list


def test_the_credentials_of_a_user_are_listed(store, capsys):
    """Oldest first, with times and root key, and nothing of what a kind keeps."""
    status, out, err = run(capsys, "list", "--pool", POOL, "--user", ANN)
    assert (0, "") == (status, err)
    head, *rows = [line.split("  ") for line in out.splitlines()]
    assert "USER" == head[0]
    assert [["totp", "phone"], ["passkey", "blue"]] == [
        [word.strip() for word in row if word.strip()][1:3] for row in rows
    ]
    assert "2023-11-14 22:13" in out
    assert "ab12cd34" in out
    assert "canary" not in out


def test_a_pool_is_listed_as_json(store, capsys):
    """All of its users, and no other pool's."""
    listed = said(capsys, "list", "--pool", POOL)
    assert [(ANN, "phone"), (ANN, "blue"), (BOB, "bobs")] == [(each["sub"], each["id"]) for each in listed]
    names = {"pool", "sub", "kind", "id", "label", "created", "used", "root_key"}
    assert {frozenset(names)} == {frozenset(each) for each in listed}
    assert "canary" not in json.dumps(listed)


def test_whose_secrets_a_root_key_derives_is_listed(store, capsys):
    """After a leak these users enrol again."""
    assert [BOB] == [each["sub"] for each in said(capsys, "list", "--pool", POOL, "--root-key", "ffff0000")]
    assert [] == said(capsys, "list", "--pool", POOL, "--root-key", "00000000")


def test_nobody_is_told_as_such(store, capsys):
    """With what to check."""
    status, out, _ = run(capsys, "list", "--pool", POOL, "--user", "nobody")
    assert (0, "there are no such credentials; check the pool's id and the user's sub\n") == (status, out)


def test_a_sub_has_any_form(store, capsys):
    """As long as it is one word: programs without Cognito have their own."""
    long = evolve(BOBS, id="long", owner=f"{POOL}#{'x' * 2048}")
    store.add(long, replace=False, most=20, within=3600.0)
    assert ["long"] == [each["id"] for each in said(capsys, "list", "--pool", POOL, "--user", "x" * 2048)]


def test_a_label_forges_no_line_and_no_colour(store, capsys):
    """Users write labels."""
    store.add(evolve(BOBS, id="odd", label="a\nb\x1b[31m"), replace=False, most=20, within=3600.0)
    _, out, _ = run(capsys, "list", "--pool", POOL, "--user", BOB)
    assert 3 == len(out.splitlines())
    assert "\x1b" not in out


# remove


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (("--id", "phone"), (PASSKEY, BOBS, ELSEWHERE)),
        (("--kind", "passkey"), (TOTP, BOBS, ELSEWHERE)),
        (("--kind", "totp", "--id", "phone"), (PASSKEY, BOBS, ELSEWHERE)),
        (("--all",), (BOBS, ELSEWHERE)),
    ],
)
def test_what_is_said_is_removed(store, capsys, chosen, left):
    """First it is told, then done, and nobody else loses anything."""
    words = ("remove", "--pool", POOL, "--user", ANN, *chosen)
    status, out, err = run(capsys, *words)
    assert (0, "") == (status, err)
    assert f"would be removed: {len(ALL) - len(left)}, of users: 1; nothing was: say --yes to do it" in out
    assert sorted(ALL, key=str) == everything(store)
    status, out, err = run(capsys, *words, "--yes")
    assert (0, f"removed: {len(ALL) - len(left)}, of users: 1\n") == (status, out)
    assert sorted(left, key=str) == everything(store)
    event = json.loads(err)
    assert ("authz_admin", "", "credentials_removed") == (
        event["event"],
        event.get("user", ""),
        event["detail"]["action"],
    )
    assert ANN not in err


def test_the_audit_names_the_user_by_the_digest_if_the_keys_are_there(store, capsys, monkeypatch):
    """As every event does."""
    monkeypatch.setenv("WATCHWORD_KEY", KEY)
    _, _, err = run(capsys, "remove", "--pool", POOL, "--user", ANN, "--all", "--yes")
    assert user_key(Keyring.of(bytes(range(32))), POOL, User("", {"sub": ANN})) == json.loads(err)["user"]


def test_the_user_is_told_in_their_language(store, capsys, monkeypatch):
    """By the courier of the triggers, once for each kind, under the reference that the audit has; never in a dry run."""
    words = ("remove", "--pool", POOL, "--user", ANN, "--all", "--notify", "ann@example.com", "--locale", "de-AT")
    monkeypatch.setenv("WATCHWORD_COURIER", "console:")
    _, out, _ = run(capsys, *words)
    assert "Kennung" not in out
    status, out, err = run(capsys, *words, "--yes")
    assert 0 == status
    event = json.loads(next(line for line in err.splitlines() if line.startswith("{")))
    names = {each.kind for each in ALL if each.owner == f"{POOL}#{ANN}"}
    kinds = {{"totp": Totp, "passkey": Passkey, "recovery_codes": RecoveryCodes}[name].called["de"] for name in names}
    assert len(kinds) == (out + err).count(f"Kennung: {event['ref']}")
    assert all(f"entfernt: {kind}" in out + err for kind in kinds)


def test_a_notice_that_cannot_go_out_is_told(store, capsys, monkeypatch):
    """The change stands, and the status is 1. What cannot be right is refused before anything is removed."""
    words = ("remove", "--pool", POOL, "--user", ANN, "--kind", "totp", "--yes", "--notify")
    for address, courier, told in (
        ("nobody", "console:", "is no e-mail address"),
        ("a b@example.com", "console:", "is no e-mail address"),
        ("ann@example.com", "", "needs a courier for e-mail: set WATCHWORD_COURIER"),
    ):
        monkeypatch.setenv("WATCHWORD_COURIER", courier)
        status, _, err = run(capsys, *words, address)
        assert 2 == status
        assert told in err
        assert sorted(ALL, key=str) == everything(store)
    monkeypatch.setenv("WATCHWORD_COURIER", "smtp://127.0.0.1:1?from=a@example.com")
    status, out, err = run(capsys, *words, "ann@example.com", "--json")
    assert 1 == status
    assert {"removed": 1, "unsent": ["unreachable"]}.items() <= json.loads(out).items()
    assert "the user was not told: the courier failed (unreachable)" in err


def test_a_key_that_cannot_be_read_removes_nothing(store, capsys, monkeypatch):
    """What is wrong is said before anything is written."""
    monkeypatch.setenv("WATCHWORD_KEY", "short")
    status, _, err = run(capsys, "remove", "--pool", POOL, "--user", ANN, "--all", "--yes")
    assert 2 == status
    assert "WATCHWORD_KEY" in err
    assert sorted(ALL, key=str) == everything(store)


def test_json_says_whether_it_was_done(store, capsys):
    """A dry run has removed nothing."""
    words = ("remove", "--pool", POOL, "--user", ANN, "--kind", "totp")
    assert {"done": False, "credentials": 1, "users": 1, "removed": 0} == said(capsys, *words)
    assert {"done": True, "credentials": 1, "users": 1, "removed": 1} == said(capsys, *words, "--yes")


# export and import


def exported(capsys, *words):
    status, out, err = run(capsys, "export", *words)
    assert (0, "") == (status, err)
    return out


def test_an_export_is_imported_as_it_was(store, capsys, tmp_path):
    """To the last version and state; the second time all is there already."""
    assert {"exported": 4} == said(capsys, "export", "-o", "all.jsonl")
    assert 0o600 == stat.S_IMODE((tmp_path / "all.jsonl").stat().st_mode)
    words = ("import", "all.jsonl", "--store", "sqlite:///new.db")
    told = said(capsys, *words)
    assert (False, 4, 0) == (told["done"], told["new"], told["added"])
    assert not (tmp_path / "new.db").exists()
    with closing(SqliteCredentials(tmp_path / "new.db")) as new:
        assert [] == everything(new)
        assert 4 == said(capsys, *words, "--yes")["added"]
        assert sorted(ALL, key=str) == everything(new)
        told = said(capsys, *words, "--yes")
        assert (True, 0, 4) == (told["done"], told["new"], told["there"])
        assert sorted(ALL, key=str) == everything(new)


def test_one_pool_is_exported_to_standard_output(store, capsys):
    """A head, the credentials, and an end that says how many there are."""
    head, *lines, end = exported(capsys, "--pool", OTHER).splitlines()
    assert ({"watchword_credentials": 1}, {"credentials": 1}) == (json.loads(head), json.loads(end))
    assert ["elsewhere"] == [json.loads(line)["id"] for line in lines]


def test_an_export_overwrites_no_file(store, capsys, tmp_path):
    """And leaves no part of one."""
    (tmp_path / "all.jsonl").write_text("precious")
    status, _, err = run(capsys, "export", "-o", "all.jsonl")
    assert 2 == status
    assert "all.jsonl cannot be made: it is there already" in err
    assert "precious" == (tmp_path / "all.jsonl").read_text()
    status, _, err = run(capsys, "export", "-o", "missing/all.jsonl")
    assert (2, True) == (status, "No such file" in err)


def test_an_export_that_breaks_off_leaves_no_file(store, capsys, tmp_path, monkeypatch):
    """The next one can use the name."""

    def breaks(self, *, within):
        yield TOTP
        raise RuntimeError("gone")

    monkeypatch.setattr(SqliteCredentials, "everything", breaks)
    assert 1 == run(capsys, "export", "-o", "all.jsonl")[0]
    assert not (tmp_path / "all.jsonl").exists()


def test_an_import_comes_from_standard_input_too(store, capsys, monkeypatch):
    """``-``."""
    monkeypatch.setattr("sys.stdin", io.StringIO(exported(capsys)))
    assert 4 == said(capsys, "import", "-")["there"]


def test_users_who_moved_keep_what_can_move(store, capsys, tmp_path):
    """With a map of subs, by pairs or a file; secrets that are derived from the old sub cannot, and who is left out does not."""
    (tmp_path / "all.jsonl").write_text(exported(capsys, "--pool", POOL))
    (tmp_path / "map").write_text(f"{ANN}=new-ann\n\n")
    words = ("import", "all.jsonl", "--store", "sqlite:///new.db", "--pool", OTHER, "--subs", "map")
    status, _, err = run(capsys, *words)
    assert 2 == status
    assert f"--subs has no new sub for 1 of the users of the export, such as '{BOB}'" in err
    told = said(capsys, *words, "--subs", f"{BOB}=", "--yes")
    assert (1, 1, 1) == (told["added"], told["derived"], told["left_out"])
    with closing(SqliteCredentials(tmp_path / "new.db")) as new:
        assert [evolve(PASSKEY, owner=f"{OTHER}#new-ann")] == everything(new)
    status, out, _ = run(capsys, *words, "--subs", f"{BOB}=", "--yes")
    assert 0 == status
    assert "not moved: 1; their secrets are derived from the user's sub and pool" in out


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (evolve(TOTP, owner=f"{POOL}#{BOB}"), "another user has this id"),
        (evolve(TOTP, id="newer"), "the user has another one of this kind"),
        (evolve(TOTP, owner=f"{OTHER}#{ANN}"), "another user has this id"),
    ],
)
def test_an_import_that_would_overwrite_imports_nothing(capsys, tmp_path, kept, why):
    """The status is 1, and what is in the way is named."""
    with closing(SqliteCredentials(tmp_path / "new.db")) as new:
        new.add(kept, replace=False, most=20, within=3600.0)
        (tmp_path / "all.jsonl").write_text("\n".join(export_lines(ALL)))
        for more in ((), ("--yes",)):
            status, out, err = run(capsys, "import", "all.jsonl", "--store", "sqlite:///new.db", *more)
            assert (1, "") == (status, err)
            assert f"refused: totp 'phone' of '{ANN}': {why}" in out
            assert "nothing was imported, since" in out
        assert [kept] == everything(new)


def test_what_comes_in_between_is_not_overwritten(store, capsys, tmp_path, monkeypatch):
    """A user who enrols while the import runs: it is told, and the status is 1."""
    (tmp_path / "all.jsonl").write_text("\n".join(export_lines([evolve(PASSKEY, id="new")])))
    monkeypatch.setattr(SqliteCredentials, "add", lambda self, credential, **_: False)
    status, out, _ = run(capsys, "import", "all.jsonl", "--yes")
    assert 1 == status
    assert "refused: passkey 'new': something else was added meanwhile; import again" in out


def test_an_owner_is_not_filled_beyond_the_bound():
    """Counted with what is there."""
    many = [evolve(PASSKEY, id=f"{number}") for number in range(MAX_CREDENTIALS + 3)]
    plan = planned(many[2:], many[:2], is_one=lambda kind: False)
    assert many[2:MAX_CREDENTIALS] == list(plan.new)
    assert [f"passkey '{number}' of '{ANN}': the user would have more than 20" for number in (20, 21, 22)] == list(
        plan.conflicts
    )
    beyond = planned([evolve(PASSKEY, id="more")], many, is_one=lambda kind: False)
    assert ((), 1) == (beyond.new, len(beyond.conflicts))


_texts = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)
_names = st.sampled_from(["a", "b", "c"])
_made = st.builds(
    Credential,
    id=_names,
    owner=st.builds("{}#{}".format, st.sampled_from(["p", "q"]), _names),
    kind=st.sampled_from(["one", "many"]),
    label=_texts,
    created=st.integers(0, 2**37),
    used=st.integers(0, 2**37),
    state=st.dictionaries(_texts, _texts, max_size=3),
    version=st.integers(0, 9),
    rounds=st.lists(_texts, max_size=3).map(tuple),
)


@given(st.lists(_made, unique_by=lambda each: (each.kind, each.id)))
def test_what_is_exported_is_read_as_it_was(credentials):
    """Whatever texts are in it."""
    assert tuple(credentials) == read_export(export_lines(credentials))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_made, unique_by=lambda each: (each.kind, each.id)),
    st.lists(_made, unique_by=lambda each: (each.kind, each.id)),
)
def test_a_plan_without_conflicts_is_carried_out(old, wanted):
    """Every new one is taken by the store, the old ones stay as they were, and doing it again does nothing."""
    store = MemoryCredentials()
    for each in old:
        store.add(each, replace=False, most=20, within=1.0)
    before = everything(store)
    plan = planned(wanted, store.everything(within=1.0), is_one=lambda kind: kind == "one")
    assert len(wanted) == len(plan.new) + plan.there + len(plan.conflicts)
    assert all(store.add(each, replace=False, most=20, within=1.0) for each in plan.new)
    assert set(map(str, before)) <= set(map(str, everything(store)))
    again = planned(wanted, store.everything(within=1.0), is_one=lambda kind: kind == "one")
    assert () == again.new
    for owner in {each.owner for each in plan.new}:
        kinds = [each.kind for each in store.list(owner, within=1.0)]
        held = sum(each.owner == owner and each.kind == "one" for each in before)
        assert kinds.count("one") <= max(held, 1)


def test_without_a_change_of_owner_nothing_is_lost():
    """Derived secrets stay good where user and pool are the same."""
    assert (ALL, 0, 0) == moved(ALL, None, None)
    assert ((TOTP, PASSKEY, BOBS), 0, 0) == moved(ALL[:3], {ANN: ANN, BOB: BOB}, POOL)


GOOD = list(export_lines([TOTP, PASSKEY]))


def changed(**members):
    return json.dumps(json.loads(GOOD[1]) | members)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "the export is cut off, or is none"),
        (GOOD[:-1], "the export is cut off"),
        (GOOD[:1], "the export is cut off"),
        (["no JSON"], "line 1 of the export is no JSON object"),
        (["[" * 50_000], "line 1 of the export is no JSON object"),
        (["[]"], "line 1 of the export is no JSON object"),
        (GOOD[1:], "the file is no export of credentials: its first line must be"),
        (['{"watchword_credentials": true}'], "the file is no export of credentials"),
        (['{"watchword_credentials": 2}'], "of version 2, this Watchword reads version 1"),
        ([*GOOD, GOOD[1]], "line 5 of the export stands behind the end"),
        ([*GOOD[:2], '{"credentials": 2}'], "line 3 of the export says another number of credentials than the 1"),
        ([*GOOD[:2], GOOD[1]], "line 3 of the export has the id 'phone' of 'totp' a second time"),
        ([GOOD[0], "{}"], "line 2 of the export has other members than a credential"),
        ([GOOD[0], changed(more=1)], "line 2 of the export has other members"),
        ([GOOD[0], changed(label=5)], "line 2 of the export has no text as its label"),
        ([GOOD[0], changed(created="5")], "line 2 of the export has no whole number as its created"),
        ([GOOD[0], changed(used=True)], "line 2 of the export has no whole number as its used"),
        ([GOOD[0], changed(version=-1)], "line 2 of the export has no whole number as its version"),
        ([GOOD[0], changed(version=1e400)], "line 2 of the export has no whole number as its version"),
        ([GOOD[0], changed(state=[])], "line 2 of the export has a state that is not all text"),
        ([GOOD[0], changed(state={"a": 1})], "line 2 of the export has a state that is not all text"),
        (
            [GOOD[0], changed(state={"a": "x" * 3000})],
            "line 2 of the export is refused: Credential.state has more than",
        ),
        ([GOOD[0], changed(rounds="r")], "line 2 of the export has rounds that are no texts"),
        ([GOOD[0], changed(rounds=[1])], "line 2 of the export has rounds that are no texts"),
        ([GOOD[0], changed(id="\ud800")], "line 2 of the export has half of a character"),
        ([GOOD[0], changed(state={"\udfff": ""})], "line 2 of the export has half of a character"),
        ([GOOD[0], changed(pool="a#b")], "line 2 of the export names no pool, user or kind"),
        ([GOOD[0], changed(sub="")], "line 2 of the export names no pool, user or kind"),
        ([GOOD[0], changed(label="x" * 70_000)], "line 2 of the export is no JSON object"),
        ([GOOD[0], changed(kind="to tp")], "line 2 of the export names no pool, user or kind"),
        ([GOOD[0], changed(sub="a b")], "line 2 of the export is refused: 'a b' is no sub"),
        ([GOOD[0], changed(created=253_402_300_800)], "line 2 of the export has a time after the year 9999"),
        ([GOOD[0], changed(used=2**53 - 1)], "line 2 of the export has a time after the year 9999"),
        ([GOOD[0], changed(rounds=["r" * 65])], "line 2 of the export is refused: an id has"),
        ([GOOD[0], changed(id="")], "line 2 of the export is refused: an id has 1 to 1400 characters"),
        ([GOOD[0], changed(id="x" * 1401)], "line 2 of the export is refused: an id has 1 to 1400 characters"),
        ([GOOD[0], changed(label="x" * 65)], "a label at most 64"),
        ([GOOD[0], changed(rounds=["r"] * 9)], "at most 8 rounds are kept"),
    ],
)
def test_a_file_that_is_no_whole_export_imports_nothing(store, capsys, tmp_path, lines, told):
    """The line is named, and nothing that is kept is quoted."""
    (tmp_path / "bad.jsonl").write_text("\n".join(lines))
    status, _, err = run(capsys, "import", "bad.jsonl", "--yes")
    assert 2 == status
    assert told in err
    assert "canary" not in err
    assert sorted(ALL, key=str) == everything(store)


# purge


def test_users_who_are_gone_are_purged(store, capsys, tmp_path):
    """By the list of those who go: in this pool, and first for show."""
    (tmp_path / "gone").write_text(f"{ANN}\n\nsomebody-else\n")
    words = ("purge", "--pool", POOL, "--gone", "gone")
    assert {"done": False, "credentials": 2, "users": 1, "removed": 0} == said(capsys, *words)
    assert sorted(ALL, key=str) == everything(store)
    assert {"done": True, "credentials": 2, "users": 1, "removed": 2} == said(capsys, *words, "--yes")
    assert sorted((BOBS, ELSEWHERE), key=str) == everything(store)


def test_whoever_is_on_the_list_to_keep_stays(store, capsys, tmp_path):
    """Others go, but who enrolled within the last day: the list may be older. Another pool is left alone."""
    fresh = evolve(BOBS, id="fresh", owner=f"{POOL}#new", created=int(command.SystemClock().now()) - DAY // 2)
    store.add(fresh, replace=False, most=20, within=3600.0)
    (tmp_path / "keep").write_text(f"{ANN}\n", "utf-8-sig")  # Windows writes a mark, which is no part of the first sub
    told = said(capsys, "purge", "--pool", POOL, "--keep", "keep", "--yes")
    assert (1, 1) == (told["removed"], told["users"])
    assert sorted((TOTP, PASSKEY, ELSEWHERE, fresh), key=str) == everything(store)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "keep has no sub in it"),
        ("\n \n", "keep has no sub in it"),
        ("sub,email\n", "'sub,email' is no sub: write one a line"),
        ("a b\n", "'a b' is no sub"),
        ("\0" * 9, "is no sub"),
        ("PK\3\4", "is no sub"),
        ('{"Username": "ann"}', "is no sub"),
        ("somebody\nelse\n", "none of its 2 subs has a credential in this pool"),
    ],
)
def test_a_list_that_is_a_mistake_purges_nothing(store, capsys, tmp_path, text, told):
    """An empty list to keep would empty the pool; a table is no list."""
    (tmp_path / "keep").write_text(text)
    status, _, err = run(capsys, "purge", "--pool", POOL, "--keep", "keep", "--yes")
    assert 2 == status
    assert told in err
    assert sorted(ALL, key=str) == everything(store)


def test_more_than_can_be_shown_is_counted(store, capsys, tmp_path):
    """The first ten, and how many more."""
    for number in range(15):
        store.add(evolve(PASSKEY, id=f"{number}", owner=f"{POOL}#gone"), replace=False, most=20, within=3600.0)
    (tmp_path / "gone").write_text("gone\n")
    _, out, _ = run(capsys, "purge", "--pool", POOL, "--gone", "gone")
    assert "and 5 more\nwould be removed: 15, of users: 1" in out


# What is wrong


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "ACTION"),
        (("delete",), "delete"),
        (("list",), "--pool"),
        (("list", "--pool", "no pool"), "--pool 'no pool'"),
        (("list", "--pool", POOL, "--user", "a b"), "'a b' is no sub"),
        (("list", "--pool", POOL, "--user", ""), "'' is no sub"),
        (("list", "--pool", POOL, "--user", " ann"), "' ann' is no sub"),
        (("list", "--pool", POOL, "--user", "x" * 2049), "is no sub: 1 to 2048 characters"),
        (("remove", "--pool", POOL, "--user", ANN), "say which credentials: --id ID, --kind KIND, or --all"),
        (("remove", "--pool", POOL, "--user", ANN, "--all", "--kind", "totp"), "leave out --kind and --id"),
        (("remove", "--pool", POOL, "--user", ANN, "--id", "x"), "the user has no such credential, of 2 in all"),
        (("remove", "--pool", POOL, "--kind", "totp"), "--user"),
        (("purge", "--pool", POOL), "--keep"),
        (("purge", "--pool", POOL, "--keep", "a", "--gone", "b"), "--gone"),
        (("purge", "--pool", POOL, "--gone", "missing"), "missing cannot be read: No such file"),
        (("import", "missing"), "missing cannot be read: No such file"),
        (("import", "binary"), "binary cannot be read: it is no UTF-8"),
        (("import", "x", "--subs", "missing"), "missing cannot be read"),
        (("import", "x", "--subs", "=new"), "'' is no sub"),
        (("import", "x", "--subs", "a=b", "--subs", "a=c"), "write OLD=NEW, and each old sub once"),
        (("import", "x", "--subs", "a=b", "--subs", "c=d", "--subs", "e=d"), "two users would become 'd'"),
        (("import", "x", "--subs", "a=c", "--subs", "b=c"), "two users would become 'c'"),
        (("list", "--pool", POOL, "--store", "sqlite:///mistyped.db"), "there is no such file; check the path"),
        (("list", "--pool", POOL, "--store", "memory:"), "lives in the process of your triggers"),
        (("list", "--pool", POOL, "--store", "sqlight:///x"), "did you mean sqlite"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(store, capsys, tmp_path, words, told):
    """With the culprit and the remedy; the status is 2, and nothing is written."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    before = sorted(tmp_path.iterdir())
    status, out, err = run(capsys, *words)
    assert (2, "") == (status, out)
    assert told in err
    assert 1 == err.count("\n")
    assert before == sorted(tmp_path.iterdir())
    assert sorted(ALL, key=str) == everything(store)


def test_a_store_must_be_named(capsys):
    """As for the triggers."""
    status, _, err = run(capsys, "list", "--pool", POOL)
    assert 2 == status
    assert "set WATCHWORD_CREDENTIALS as for your triggers, or give --store URL" in err


def test_a_store_that_cannot_be_read_as_a_whole_lists_one_user(store, capsys, monkeypatch):
    """A stranger's store need not have `everything`."""

    class Plain:
        reach = "machine"

        def __init__(self, *_, **__):
            pass

        def __getattr__(self, name):
            if name == "everything":
                raise AttributeError(name)
            return getattr(store, name)

        list = add = swap = remove = property(lambda self: store.list)

    monkeypatch.setattr(command, "_store", lambda url, makes: Plain())
    assert 2 == len(said(capsys, "list", "--pool", POOL, "--user", ANN))
    status, _, err = run(capsys, "list", "--pool", POOL)
    assert 2 == status
    assert "the store Plain cannot be read as a whole" in err


def test_a_store_that_fails_is_a_failure_and_no_mistake(store, capsys, tmp_path):
    """The status is 1."""
    with closing(sqlite3.connect(tmp_path / "credentials.db")) as file, file:
        file.execute("UPDATE credentials SET rounds = 5")
    status, out, err = run(capsys, "list", "--pool", POOL)
    assert (1, "") == (status, out)
    assert "a row that Watchword did not write" in err


def a_text(path):
    path.write_text("precious " * 1000)


def a_database(path):
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE precious (it TEXT)")


def a_newer_one(path):
    with closing(SqliteCredentials(path)) as made:
        made.list("nobody", within=3600.0)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("other", [a_text, a_database, a_newer_one])
def test_a_file_that_is_no_store_is_a_mistake(capsys, tmp_path, other):
    """Whoever names it is told so, with status 2, and it stays as it is."""
    other(tmp_path / "other.db")
    before = (tmp_path / "other.db").read_bytes()
    status, out, err = run(capsys, "list", "--pool", POOL, "--store", "sqlite:///other.db")
    assert (2, "") == (status, out)
    assert "other.db" in err
    assert before == (tmp_path / "other.db").read_bytes()
