"""Notices: users hear of each change by mail, and a mail that does not go out changes nothing."""

import re
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve

import watchword_plugins
from kit.engine_host import ANN, KEY, Host, Post, Riddle, world
from kit.fobs import Badge, Fob
from watchword import Flow, Registry, UnavailableError, User, enrol, sequence
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.runtime.credentials.notice_texts import NOTICE_TEXTS
from watchword.runtime.credentials.notices import notice_of
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential, rename_credential
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.host_settings import HostSettings
from watchword_plugins.recovery_codes import RecoveryCodes

FLOW = Flow(sequence(Riddle(), Fob(), Badge()))
POOL, CLIENT = "pool_1", "client"


def here(post=None):
    return world(FLOW, credentials=MemoryCredentials(), post=post)


def enrolled(at, user=None, label="Phone of <b>Ann</b>"):
    """Enrol the fob; return what was shown, and what became of it."""
    user = user or User("ann", ANN)
    begun = begin_enrolment(at.engine, POOL, CLIENT, user, "fob")
    done = complete_enrolment(at.engine, POOL, CLIENT, user, begun.handle, begun.public["word"], label)
    return begun, done


def test_each_change_is_told_once_and_holds_no_secret():
    """Neither the handle nor what was shown nor the label, which may be a stranger's text; but the reference of the audit."""
    at = here()
    begun, added = enrolled(at)
    removed = remove_credential(at.engine, POOL, CLIENT, User("ann", ANN), added.credential.id)
    assert [added.ref, removed.ref] == [each.text.split("Reference: ")[1].strip() for each in at.post.sent]
    assert ["ann@example.com"] * 2 == [each.to for each in at.post.sent]
    for mail in at.post.sent:
        assert mail.id
        for secret in (begun.handle, begun.public["word"], "Phone", added.credential.id):
            assert secret not in "".join(mail.texts())


def test_a_repeat_tells_nothing_again_and_a_new_label_nothing_at_all():
    """A label is no way to sign in."""
    at = here()
    begun, done = enrolled(at)
    assert complete_enrolment(at.engine, POOL, CLIENT, User("ann", ANN), begun.handle, begun.public["word"])
    assert rename_credential(at.engine, POOL, User("ann", ANN), done.credential.id, "x")
    assert 1 == len(at.post.sent)


def test_a_repeat_after_a_crash_tells_it_with_the_same_id():
    """So that a mailbox can tell that it is one."""
    at = here()

    class NoMark:
        reach = "everywhere"

        def __getattr__(self, name):
            def fail(*_, **__):
                raise UnavailableError("down")

            return (
                fail
                if name == "put" and at.engine.credentials.list(f"{POOL}#{ANN['sub']}", within=1)
                else getattr(at.ledger, name)
            )

    crashing = evolve(at, engine=evolve(at.engine, ledger=NoMark()))
    begun, _ = enrolled(crashing)
    assert complete_enrolment(at.engine, POOL, CLIENT, User("ann", ANN), begun.handle, begun.public["word"])
    first, second = at.post.sent
    assert first == second


@pytest.mark.parametrize(
    "failing",
    [
        UnavailableError("x", reason="throttled"),
        UnavailableError("x", refused=True, reason="recipient_refused"),
        ValueError("ann@example.com"),
        SystemExit(),
    ],
    ids=str,
)
def test_a_courier_that_fails_changes_nothing(failing):
    """The credential is added, and removed; the audit knows of the mail, and not the courier's own words."""
    at = here(Post(failing))
    _, done = enrolled(at)
    assert done
    assert remove_credential(at.engine, POOL, CLIENT, User("ann", ANN), done.credential.id)
    assert () == list_credentials(at.engine, POOL, User("ann", ANN))
    told = [each for each in at.events.events if each.name in {"sys_courier_failed", "sys_message_refused"}]
    assert ["notice_added", "notice_removed"] == [each.detail["step"] for each in told]
    assert "ann@example.com" not in str(told)


def test_a_courier_that_hangs_changes_nothing():
    """It gets what is left of the call's time, less what the reply needs."""
    at = here()

    class Hanging(Post):
        def send(self, message, within):
            at.clock.advance(within)
            raise UnavailableError("late")

    slow = evolve(at, engine=evolve(at.engine, couriers={"email": Hanging()}))
    assert enrolled(slow)[1]


def test_a_step_that_enrols_tells_too():
    """By every repeat, with the same id; the audit hears of it once."""
    at = world(Flow(sequence(Riddle(), enrol(Fob()))), credentials=MemoryCredentials())
    host = Host(at, User("ann", ANN))
    host.next()
    word = host.answers("fish").public["word"]
    assert not host.verify("no").right
    assert [] == at.post.sent
    host.answers("no")
    for _ in range(2):
        assert host.verify(word).right
    first, second = at.post.sent
    assert first == second
    assert word not in first.text
    assert 1 == at.events.names().count("user_updated")


def test_a_step_that_enrols_does_so_whatever_the_courier_does():
    """The answer is right."""
    post = Post(UnavailableError("x"))
    at = world(Flow(sequence(Riddle(), enrol(Fob()))), credentials=MemoryCredentials(), post=post)
    host = Host(at, User("ann", ANN))
    host.next()
    assert host.verify(host.answers("fish").public["word"]).right


def test_verify_has_a_courier_where_a_step_enrols():
    """It needs none otherwise, and nobody must give one for notices."""
    enrolling, asking = Flow(sequence(Riddle(), enrol(Fob()))), Flow(sequence(Riddle(), Fob()))
    given = HostSettings(key=KEY, environment={"WATCHWORD_COURIER": "console:"})
    assert ["email"] == list(given.engine([enrolling], creates=False).couriers)
    assert {} == given.engine([asking], creates=False).couriers
    assert ["email"] == list(given.engine([asking]).couriers)
    assert {} == HostSettings(key=KEY, environment={}).engine([enrolling]).couriers


def test_a_host_without_a_courier_tells_nobody():
    """A flow without mail needs none."""
    at = here()
    assert enrolled(evolve(at, engine=evolve(at.engine, couriers={})))[1]


@pytest.mark.parametrize(
    "attributes",
    [{"email": ""}, {"email_verified": "false"}, {"email_verified": ""}],
    ids=str,
)
def test_only_a_verified_address_is_written_to(attributes):
    """Anybody may have written any other one there."""
    assert None is notice_of(User("ann", ANN | attributes), "added", "fob", "REF", called={})
    assert None is notice_of(User("ann", ANN, known=False), "added", "fob", "REF", called={})


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("de_AT", "de"),
        ("DE-ch", "de"),
        ("en-GB", "en"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("pt_BR", "pt-br"),
        ("pt-PT", "pt-br"),
        ("ar", "ar"),
        ("sv", "en"),
        ("e", "en"),
        ("", "en"),
        ("../../x", "en"),
        ("x" * 9999, "en"),
    ],
)
def test_the_notice_is_in_the_users_language(locale, language):
    """Or in another variety of it, or in English; the kind has the word that users know."""
    called = RecoveryCodes.called
    notice = notice_of(User("ann", ANN | {"locale": locale}), "added", "recovery_codes", "REF", called=called)
    assert NOTICE_TEXTS[language]["added"][0] == notice.subject
    assert called[language] in notice.text


def test_a_kind_without_a_word_is_called_by_its_name():
    """One of a plugin that says none, or none in this language."""
    for called in ({}, {"xx": "xyz"}):
        assert "a hot fob" in notice_of(User("ann", ANN), "removed", "a_hot_fob", "REF", called=called).text


def test_notices_are_in_the_languages_of_the_mails():
    """Those of the texts that come along with codes by mail."""
    shipped = Path(watchword_plugins.__path__[0]) / "templates"
    assert {file.name.partition(".")[0] for file in shipped.glob("*.html")} == NOTICE_TEXTS.keys()


@pytest.mark.parametrize("language", NOTICE_TEXTS)
def test_each_language_has_the_same_notices(language):
    """Each says the kind and the reference once, and nothing else is filled in; a subject is one line."""
    notices = NOTICE_TEXTS[language]
    assert {"added", "removed"} == set(notices)
    assert len({each for notice in notices.values() for each in notice}) == 4
    for subject, text in notices.values():
        assert subject.isprintable()
        assert [("{kind}", 1), ("{ref}", 1)] == sorted(Counter(re.findall(r"\{.*?\}", text)).items())
        assert all(line.isprintable() and len(line) <= 120 for line in text.splitlines())


def test_every_kind_that_comes_along_and_enrols_has_a_word():
    """In the language of each notice. Users know no names of kinds, such as totp."""
    registry = Registry()
    kinds = {name: registry.find_kind(name) for name in (each.name for each in registry.installed_kinds())}
    enrolling = [kind for kind in kinds.values() if hasattr(kind, "begin") and "watchword_plugins" in kind.__module__]
    assert {"totp", "passkey", "recovery_codes"} == {kind.kind for kind in enrolling}
    for kind in enrolling:
        assert NOTICE_TEXTS.keys() == kind.called.keys()
        assert all(word.isprintable() and word.strip() for word in kind.called.values())
