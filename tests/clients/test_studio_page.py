"""The studio's page in Chromium: edit, play, counter-example, replay, diff, save, by keyboard alone; and what others get of it."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest

from kit.chromium import PLATFORM
from kit.paths import FLOWS
from kit.programs import CLIENTS, find_node
from kit.sign_in_form import WCAG, Keyboard, artefacts
from kit.studio import EVENT, TOKEN, studio
from watchword_adapters.cli.studio.api import MOST_ASKED
from watchword_adapters.sign_in_page import component

pytestmark = pytest.mark.exhaustive

TEXT = (FLOWS / "email_code.toml").read_text()
UNSOUND = (FLOWS / "captcha_only.toml").read_text()
LINK = """name = "link"
[[steps]]
kind = "captcha"
[[steps]]
kind = "magic_link"
redirects = { web = "https://app.example/in" }
"""
PASSKEY = """name = "door"
[[steps]]
kind = "email_otp"
length = 8
[[steps]]
enrol = { kind = "passkey", rp_id = "localhost", origins = ["ORIGIN"] }
"""
CAPTCHA_FIRST = 'name = "two"\n[[steps]]\nkind = "captcha"\n[[steps]]\nkind = "email_otp"\n'
CHOICE = 'name = "or"\n[[steps]]\none_of = [{kind = "email_otp"}, {kind = "sms_otp", countries = ["+49"]}]\n'
WIDTHS = (320, 768, 1280)

UNTIL = """async ({ holds }) => {
    const check = CONDITION
    for (let frame = 0; frame < 900; frame++) {
        if (check()) return
        await new Promise(requestAnimationFrame)
    }
    throw new Error(`never: ${holds}`)
}"""
DROP = """({ id, name, text }) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([text], name))
    document.getElementById(id).dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
}"""


@pytest.fixture(scope="module", autouse=True)
def _axe():
    """Nothing here runs without it."""
    find_node("axe-core")


@pytest.fixture
def served(tmp_path):
    with studio(tmp_path / "flow.toml", TEXT) as running_studio:
        yield running_studio


@pytest.fixture
def page(browser, served):
    return Shown(browser.page(served.url))


class Shown:
    """The page, as somebody looks at it."""

    def __init__(self, page):
        self.page = page
        page.run("() => { globalThis.confirm = () => true }")
        self.until("document.querySelector('#verdict').textContent")

    def until(self, condition):
        """Wait until *condition*, JavaScript, holds."""
        self.page.run(UNTIL.replace("CONDITION", f"() => ({condition})"), holds=condition)

    def lit(self, node, diagram="#diagram"):
        self.until(f"document.querySelector('{diagram} .node.lit')?.dataset.node === '{node}'")

    def came(self, node):
        """Wait until the arrow is lit by which the sign-in came from *node*."""
        self.until(f"document.querySelector('#diagram .edge.lit')?.dataset.from === '{node}'")

    def edit(self, text):
        """Put *text* in place of what is there, as by typing, and wait until it is read."""
        self.page.run(
            "({ text }) => { const s = document.querySelector('#source'); s.value = text; s.dispatchEvent(new Event('input')) }",
            text=text,
        )
        self.until("!document.querySelector('#verdict').matches('[aria-busy]')")

    def press(self, name):
        self.page.press(name)

    def text_of(self, selector):
        return self.page.run(f"() => document.querySelector('{selector}').textContent")

    def drop(self, where, text, name="dropped"):
        self.page.run(DROP, id=where, name=name, text=text)

    def begin(self):
        """Begin a sign-in in the form."""
        self.page.run("() => document.querySelector('watchword-sign-in form').requestSubmit()")
        self.until("document.querySelector('watchword-sign-in input[name=answer]')")

    def answer(self, text):
        self.page.run(
            "({ text }) => { const f = document.querySelector('watchword-sign-in'); f.querySelector('input').value = text; f.querySelector('form').requestSubmit() }",
            text=text,
        )


def test_each_edit_changes_findings_diagram_and_figures(page):
    """A broken text keeps the last good flow, says why, and marks the line."""
    page.edit(UNSOUND)
    page.until("document.querySelector('#findings .error')")
    assert "WW101" in page.text_of("#findings")
    assert page.page.run("() => document.querySelector('#gutter .error').textContent").isdigit()
    page.until("document.querySelector('#diagram [data-node=step_captcha]')")
    before = page.text_of("#figures")
    page.edit("name = 'x'\n[[steps]]\nkind = 'email_opt'")
    page.until("document.querySelector('#verdict').textContent.includes('last good flow')")
    assert "email_otp" in page.text_of("#verdict")
    assert page.text_of("#gutter .error") == "3"
    page.until("document.querySelector('#diagram [data-node=step_captcha]')")
    page.edit(TEXT)
    page.until("document.querySelector('#diagram [data-node=step_email_otp]')")
    assert before != page.text_of("#figures")
    page.until("document.querySelector('#figures').textContent.includes('guessed in a user-year')")


def test_of_edits_in_quick_succession_the_last_is_shown(page, served):
    """Whatever is read last; no reply that came too late is shown, and few of them are asked for."""
    page.page.run(
        """({ text }) => { const s = document.querySelector('#source'); for (let n = 0; n < 40; n++) { s.value = text.replace('email_code', `n${n}`); s.dispatchEvent(new Event('input')) } }""",
        text=TEXT,
    )
    page.until("document.querySelector('#diagram title').textContent === 'n39'")
    assert served.workshop.good.flow.name == "n39"
    assert sum(each.endswith("/_studio/edit") for each in page.page.requests()) < 5


def test_a_counter_example_is_played_by_a_click(page):
    """Round by round; back and forth by hand."""
    page.edit(UNSOUND)
    page.page.look(motion="reduce")
    page.press("Play WW101 in the diagram")
    page.lit("step_captcha")
    page.press("Next")
    page.lit("tokens")
    assert "captcha+" in page.text_of("#stops")
    page.press("Back")
    page.lit("step_captcha")
    page.page.look()
    page.press("Play WW101 in the diagram")
    page.lit("tokens")
    page.edit(TEXT)
    page.until("!document.querySelector('.lit')")
    assert page.text_of("#stops") == page.text_of("#playing") == ""


def test_the_diagram_follows_a_sign_in(page, served):
    """Wrong answers and the right one; each trigger is told without the code, and the message is shown. What is played takes its place."""
    page.begin()
    page.lit("step_email_otp")
    code = served.answer("email_otp")
    page.until(f"document.querySelector('#messages').textContent.includes('{code}')")
    page.came("[*]")
    page.press("Begin anew")
    page.until("!document.querySelector('.lit') && !document.querySelector('#playing').textContent")
    page.until("!document.querySelector('#messages').textContent.includes('right answer now')")
    page.begin()
    page.lit("step_email_otp")
    page.came("[*]")
    code = served.answer("email_otp")
    page.until(f"document.querySelector('#messages p code')?.textContent === '{code}'")
    page.answer("00000000")
    page.until("document.querySelector('watchword-sign-in [role=alert]')")
    page.came("step_email_otp")
    page.answer(code)
    page.lit("tokens")
    page.until("!document.querySelector('#messages').textContent.includes('right answer now')")
    page.page.run("() => document.querySelector('#tab-events').click()")
    page.page.run("() => { for (const each of document.querySelectorAll('#events details')) each.open = true }")
    events = page.text_of("#events")
    assert "It was told" in events
    assert "verify" in events
    assert code not in events
    assert "ann@example.com" not in events
    page.drop("captured", json.dumps(EVENT))
    page.until("document.querySelector('#stops').textContent")
    assert page.text_of("#playing") == ""


def test_a_sign_in_is_told_of_where_the_diagram_cannot_follow_it(page, served):
    """After an edit it goes by the flow from before; a choice is asked; a trigger fails: each is said beside the diagram."""
    page.edit(CAPTCHA_FIRST)
    page.begin()
    page.lit("step_captcha")
    page.edit(TEXT)
    page.until("document.querySelector('#playing').textContent.includes('as it was before the edit')")
    page.until("!document.querySelector('.lit')")
    page.answer(served.answer("captcha"))
    page.until("document.querySelector('#playing').textContent.startsWith('The sign-in is at email_otp. It goes by')")
    page.answer(served.answer("email_otp"))
    page.until("document.querySelector('#playing').textContent.startsWith('The sign-in is at its end: tokens')")
    assert not page.page.run("() => document.querySelector('.lit')")
    page.edit(CHOICE)
    page.press("Begin anew")
    page.page.run("() => document.querySelector('watchword-sign-in form').requestSubmit()")
    page.lit("choose_email_otp")
    assert page.text_of("#playing") == "The sign-in asks the user to choose: email_otp, sms_otp."
    assert page.page.run("() => [...document.querySelectorAll('#channels input')].map((each) => each.value)") == [
        "email",
        "sms",
    ]
    page.page.run("() => document.querySelector('#channels input').click()")
    page.until("document.querySelector('#channels input').checked")
    page.edit(CAPTCHA_FIRST)
    page.press("Begin anew")
    page.begin()
    page.answer(served.answer("captcha"))
    page.until("document.querySelector('#playing').textContent.includes('Create failed there: UNAVAILABLE')")
    assert page.text_of("#playing").endswith("Stopped: email.")
    page.press("Begin anew")
    page.begin()
    page.press("+5 min")
    page.until("!document.querySelector('#messages').textContent.includes('right answer now')")
    page.answer("late")
    page.until(
        "document.querySelector('#playing').textContent.endsWith('session is expired. It waits 3 minutes for each.')"
    )


def test_the_host_is_put_forward_stopped_and_stubborn(page, served):
    """The form's countdown is by the pool's clock; a message that is not sent is told; three calls are three events."""
    page.begin()
    page.until(
        "[...document.querySelectorAll('watchword-sign-in button:disabled')].some((each) => /\\d/.test(each.textContent))"
    )
    page.press("+1 min")
    page.press("+1 min")
    page.until(
        "[...document.querySelectorAll('watchword-sign-in button')].some((each) => each.textContent === 'Send again' && !each.disabled)"
    )
    page.page.run("() => document.querySelector('#channels input').click()")
    page.press("Send again")
    page.until("document.querySelector('watchword-sign-in [role=alert]')")
    assert len(served.workshop.inspector.mails) == 1
    page.until("document.querySelectorAll('#events details').length === 5")
    page.page.run("() => document.querySelector('#channels input').click()")
    page.page.run("() => document.querySelector('#thrice').click()")
    page.until("document.querySelector('#thrice').checked && !document.querySelector('#channels input').checked")
    page.press("A second tab")
    page.until("document.querySelectorAll('watchword-sign-in form').length === 2")
    assert (
        page.page.run(
            "() => [...document.querySelectorAll('#forms .tab')].filter((each) => each.checkVisibility()).length"
        )
        == 2
    )
    page.page.run("() => document.querySelector('watchword-sign-in:last-child form').requestSubmit()")
    page.until("document.querySelectorAll('#events details').length === 5 + 6")
    page.until("document.querySelector('#playing').textContent.includes('in tab 2')")
    page.press("+1 h")
    page.press("Begin anew")
    page.begin()
    page.until(r"/Send again in (60|5\d) s/.test(document.querySelector('watchword-sign-in').textContent)")
    # A password is stamped with the time; and where a flow has ways of both sorts, the client decides.
    page.edit((FLOWS / "password_or_code.toml").read_text())
    for ticked, node in ((True, "step_short_code"), (False, "step_email_otp")):
        page.until("document.querySelector('#with-password').checkVisibility()")
        if not ticked:
            page.page.run("() => document.querySelector('#with-password').click()")
        page.until(f"{str(ticked).lower()} === !!document.querySelector('watchword-sign-in input[type=password]')")
        page.page.run(
            "() => { const p = document.querySelector('watchword-sign-in input[type=password]'); if (p) p.value = 'Passw0rd!x' }"
        )
        page.page.run("() => document.querySelector('watchword-sign-in form').requestSubmit()")
        page.lit(node)


def test_a_link_is_opened_by_its_button_and_nothing_is_kept(page, served):
    """No storage, no cookie, no request but to the studio itself."""
    page.edit(LINK)
    page.until("document.querySelector('#diagram [data-node=step_magic_link]')")
    page.begin()
    page.answer(served.answer("captcha"))
    page.lit("step_magic_link")
    page.press("Open the link here")
    page.lit("tokens")
    kept = "async () => [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length]"
    assert page.page.run(kept) == [0, 0, "", 0, 0]
    assert all(each.split(" ")[1].startswith(served.origin) for each in page.page.requests())


def test_a_step_up_goes_with_the_token_of_the_sign_in_before(page, served):
    """In the same form, begun anew."""
    page.begin()
    page.answer(served.answer("email_otp"))
    page.lit("tokens")
    page.edit('name = "up"\n[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\nlength = 8\nwith_token = true\n')
    page.until("document.querySelector('#diagram [data-node=step_sms_otp]')")
    page.press("Begin anew")
    page.until("document.querySelector('watchword-sign-in form')")
    page.begin()
    page.answer(served.workshop.inspector.mails[-1].text[:8])
    page.lit("tokens")


def test_a_passkey_is_made_and_then_used(browser, tmp_path):
    """At the name localhost: enrolled behind a code, and asked for in the next sign-in."""
    pytest.importorskip("fido2.webauthn")
    with studio(tmp_path / "flow.toml", TEXT, name="localhost") as served:
        shown = browser.page(served.url)
        shown.plug_in(PLATFORM)
        page = Shown(shown)
        page.edit(PASSKEY.replace("ORIGIN", served.origin))
        page.until("document.querySelector('#diagram [data-node=step_enrol_passkey]')")
        for button in ("Create a passkey", "Use a passkey"):
            page.begin()
            page.answer(served.answer("email_otp"))
            page.lit("step_enrol_passkey")
            page.press(button)
            page.lit("tokens")
            page.press("Begin anew")
            page.until("document.querySelector('watchword-sign-in form')")
        assert "public_key" not in page.text_of("#events")


def test_a_captured_event_is_explained_in_the_diagram(page):
    """One event, an array, lines: whatever replay reads. What cannot be read is told without what it says."""
    for text in (json.dumps(EVENT), json.dumps([EVENT, EVENT]), f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}"):
        page.page.run("() => document.querySelector('#explained').replaceChildren()")
        page.drop("captured", text, "one.json")
        page.until("document.querySelector('#explained article')")
        page.lit("step_email_otp")
        told = page.text_of("#explained") + page.page.run("() => document.querySelector('#captured').value")
        assert "present email_otp" in told
        assert "From one.json" in told
        assert "secret-name" not in told
    assert page.text_of("#stops") == "the sign-in begins"
    page.drop("captured", "hush {")
    page.until("document.querySelector('#explained [role=alert]')")
    assert "hush" not in page.text_of("#explained")


def test_whatever_is_dropped_the_page_remains(page, served, tmp_path):
    """Events are explained wherever they fall, a flow is edited or compared, and of anything else the page says why not."""
    files = {
        "one.json": json.dumps(EVENT).encode(),
        "new.toml": UNSOUND.encode(),
        "log.gz": b"\x1f\x8b\x00",
        "long.log": b"x" * (MOST_ASKED + 1),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    words = {"log.gz": "UTF-8", "long.log": "watchword replay flow.toml FILE", "new.toml": "Drop it on the text"}
    for where in ("#open-replay", "#diagram", "#forms", "h1", "#source"):
        page.page.run(
            "() => { document.querySelector('#explained').replaceChildren(); document.querySelector('#replay').open = false }"
        )
        assert page.page.drop(where, tmp_path / "one.json") == served.url
        page.until("document.querySelector('#replay').open && document.querySelector('#explained article')")
    for name, word in words.items():
        assert page.page.drop("#diagram", tmp_path / name) == served.url
        page.until(f"document.querySelector('#explained [role=alert]')?.textContent.includes('{word}')")
    assert page.page.drop("#diagram", tmp_path / "one.json", tmp_path / "log.gz") == served.url
    page.until("document.querySelector('#explained [role=alert]').textContent.includes('one file')")
    page.page.drop("#open-diff", tmp_path / "new.toml")
    page.until("document.querySelectorAll('#compared figure svg').length === 2")
    page.page.drop("#source", tmp_path / "new.toml")
    page.until("document.querySelector('#diagram [data-node=step_captcha]')")
    assert page.text_of("#saved") == "not saved"
    assert served.file.read_text() == TEXT


def test_two_flows_are_side_by_side_with_a_session_for_each_difference(page):
    """What changes is marked in both; the session is played in both."""
    page.page.look(motion="reduce")
    page.drop("open-diff", UNSOUND)
    page.until("document.querySelectorAll('#compared figure svg').length === 2")
    assert page.page.run("() => document.querySelectorAll('#compared .changed').length") > 1
    page.press("Play difference 1 in both diagrams")
    page.lit("step_captcha", "#compared figure:first-child")
    page.lit("step_email_otp", "#compared figure:last-child")
    assert page.page.run(
        "() => [...document.querySelectorAll('#compared [role=status] strong')].map((each) => each.textContent)"
    ) == ["Before: ", "Now: "]
    assert page.text_of("#compared-with") == ""
    page.edit("[")
    assert "last good flow" in page.text_of("#compared-with")
    page.edit(TEXT)
    assert page.text_of("#compared-with") == ""
    page.edit(CHOICE)
    page.until("document.querySelector('#compared').textContent === 'The flow has changed: compare again.'")
    page.drop("other", "[")
    page.until("document.querySelector('#compared [role=alert]')")


def test_saving_is_asked_for_and_never_overwrites(page, served):
    """What changed on disk meanwhile is kept, and told; a refusal writes nothing."""
    page.edit(UNSOUND)
    page.page.run("() => { globalThis.confirm = () => !(globalThis.asked = true) }")
    page.press("Save")
    page.until("globalThis.asked")
    assert served.file.read_text() == TEXT
    page.page.run("() => { globalThis.confirm = () => true }")
    page.press("Save")
    page.until("document.querySelector('#saved').textContent === 'saved'")
    assert served.file.read_text() == UNSOUND
    served.file.write_text("# another editor\n" + TEXT)
    page.edit(TEXT)
    page.press("Save")
    page.until("document.querySelector('#saved.bad')?.textContent.includes('has changed on disk')")
    assert served.file.read_text().startswith("# another editor")
    page.press("Load from disk")
    page.until("document.querySelector('#source').value.startsWith('# another editor')")
    # What an editor does not show is no edit, and is kept.
    served.file.write_bytes(f"\ufeff{TEXT}".replace("\n", "\r\n").encode())
    page.press("Load from disk")
    page.until("!document.querySelector('#source').value.startsWith('# another editor')")
    page.until("document.querySelector('#save').disabled && !document.querySelector('#saved').textContent")
    page.edit(UNSOUND)
    page.press("Save")
    page.until("document.querySelector('#saved').textContent === 'saved'")
    assert served.file.read_bytes() == f"\ufeff{UNSOUND}".replace("\n", "\r\n").encode()


ASKED = "() => { globalThis.asked = []; globalThis.confirm = (question) => (asked.push(question), true) }"


def test_what_was_deleted_meanwhile_is_written_anew_if_that_is_wanted(page, served):
    """Loading it leaves the text and what is said of it as they are; saving asks once more."""
    page.page.run(ASKED)
    verdict = page.text_of("#verdict")
    served.file.unlink()
    page.press("Load from disk")
    page.until("document.querySelector('#saved.bad')?.textContent.includes('no longer on disk')")
    assert verdict == page.text_of("#verdict")
    page.press("Load from disk")
    page.press("Look again")
    page.until("document.querySelector('#saved.bad')?.textContent.includes('no longer on disk')")
    assert page.page.run("() => asked") == []
    page.press("Save")
    page.until("document.querySelector('#saved').textContent === 'saved'")
    assert served.file.read_text() == TEXT
    assert "no longer on disk" in page.page.run("() => asked.at(-1)")


def test_a_broken_text_is_saved_knowingly_and_can_be_opened_again(browser, page, served, tmp_path):
    """The question says what is wrong. Opened, it has its text and its error; mended, its form."""
    page.page.run(ASKED)
    page.edit("[")
    page.press("Save")
    page.until("document.querySelector('#saved').textContent === 'saved'")
    assert "line 1" in page.page.run("() => asked.at(-1)")
    with studio(served.file) as again:
        other = Shown(browser.page(again.url))
        assert "broken" in other.text_of("#verdict")
        assert other.page.run("() => document.querySelector('#source').value") == "["
        assert other.text_of("#gutter .error") == "1"
        assert other.text_of("#diagram") == "There is none yet."
        assert other.page.run("() => document.querySelector('#second').disabled")
        assert not other.page.run("() => document.querySelectorAll('watchword-sign-in').length")
        other.edit(TEXT)
        other.begin()
        other.lit("step_email_otp")


def test_what_is_said_of_the_last_good_flow_is_said_to_be(page):
    """While the text is broken: nothing leads to lines that are no longer there, and the editor stays where it is."""
    top = "() => document.querySelector('#source').getBoundingClientRect().top"
    page.page.look(width=1400)
    page.edit(UNSOUND)
    before = page.page.run(top)
    page.edit(UNSOUND.replace("captcha", "captha"))
    assert "did you mean" in page.text_of("#verdict")
    assert before == page.page.run(top)
    for text, said in (("", "there are no steps"), ("a\n[\n", "no TOML")):
        page.edit(text)
        assert "This text is broken: " in page.text_of("#verdict")
        assert said in page.text_of("#verdict")
        assert "last good flow" in page.text_of("#findings-title")
        assert page.text_of("#gutter .error") == "1"
        shown = (
            "() => [...document.querySelectorAll('#findings .plain')].filter((each) => each.checkVisibility()).length"
        )
        assert page.page.run(shown) == 0
    page.edit(UNSOUND + "".join(f'[[steps]]\nkind = "captcha"\nname = "s{place}"\n' for place in range(60)))
    assert page.text_of("#verdict").startswith("This flow is too large for the studio")
    page.edit(UNSOUND)
    assert page.text_of("#findings-title") == "What check says"


SEEN = """({ selectors }) => selectors.filter((each) => {
    const shown = document.querySelector(each)
    if (!shown) return true
    const { left, top, right, bottom } = shown.getBoundingClientRect()
    const found = document.elementFromPoint((left + right) / 2, Math.max(top, 0) + 8)
    return !(top > -1 && left >= 0 && right <= innerWidth && bottom <= innerHeight && shown.contains(found))
})"""


def test_the_form_its_diagram_and_the_last_message_are_on_one_screen(page):
    """Of a laptop; where the page is narrow, what is played is brought into view, at a size that can be read."""
    page.page.look(width=1400, height=900)
    page.begin()
    page.until("document.querySelector('#messages article')")
    parts = ["#source", "#diagram .lit", "watchword-sign-in form", "#messages code", "#messages article h3", "#thrice"]
    assert [] == page.page.run(SEEN, selectors=parts)
    page.edit(UNSOUND)
    page.page.look(width=320, height=800, motion="reduce")
    page.press("Play WW101 in the diagram")
    assert [] == page.page.run(SEEN, selectors=["#stops p", "#diagram .lit"])
    page.drop("open-diff", TEXT)
    page.until("document.querySelectorAll('#compared figure svg').length === 2")
    page.press("Play difference 1 in both diagrams")
    assert [] == page.page.run(SEEN, selectors=["#compared [role=status]", "#compared .lit"])
    size = "() => [...document.querySelectorAll('svg.flow')].map((each) => each.getBoundingClientRect().width / each.viewBox.baseVal.width)"
    for width in WIDTHS:
        page.page.look(width=width)
        assert all(scale > 0.89 for scale in page.page.run(size))


def test_another_page_of_the_studio_is_told(browser, page, served):
    """Both edit one flow: the one whose text is not in use says so, until it takes it back."""
    other = Shown(browser.page(served.url))
    other.edit(UNSOUND)
    other.until("document.querySelector('#diagram [data-node=step_captcha]')")
    page.press("Look again")
    page.until("document.querySelector('#elsewhere').textContent.includes('Another page')")
    page.begin()
    page.until("document.querySelector('#playing').textContent.includes('by a flow of another page')")
    page.drop("other", TEXT)
    page.until(
        "document.querySelector('#compared-with').textContent === 'Now is the flow of another page of this studio.'"
    )
    page.edit("[")
    assert "Another page" in page.text_of("#elsewhere")
    page.edit(TEXT + "\n")
    assert page.text_of("#elsewhere") == ""


def test_a_studio_that_was_stopped_is_told(browser, tmp_path):
    """The text stays in the page."""
    with studio(tmp_path / "flow.toml", TEXT) as served:
        page = Shown(browser.page(served.url))
    page.edit(UNSOUND)
    page.until("document.querySelector('#verdict').textContent.includes('was stopped')")
    assert page.page.run("() => document.querySelector('#source').value") == UNSOUND


def test_a_page_that_is_opened_on_a_broken_file_shows_the_last_good_flow(browser, page, served):
    """With a form that signs in, and the error of the text."""
    served.file.write_text("name = [")
    other = Shown(browser.page(served.url))
    assert "last good flow" in other.text_of("#verdict")
    other.begin()
    other.lit("step_email_otp")


def test_a_wrong_token_is_told(browser, served):
    """And nothing else: nothing of the flow, and no button that does nothing."""
    page = Shown(browser.page(served.url.replace(TOKEN, "x")))
    assert "token" in page.text_of("#verdict")
    assert page.page.run("() => document.querySelector('#source').value") == ""
    assert not page.page.run("() => document.querySelector('main').checkVisibility()")


HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>&lt;b&gt;"


def test_hostile_text_is_text(browser, page, served):
    """In names of flows and files, errors, messages, captured events and other flows."""
    page.page.run("() => { globalThis.alerted = 0; globalThis.alert = () => { alerted += 1 } }")
    page.edit(f'name = "{HOSTILE}"\n[[steps]]\nkind = "{HOSTILE}"\n')
    page.until("document.querySelector('#verdict').className === 'bad'")
    page.edit(TEXT.replace('"email_code"', f'"{HOSTILE}"'))
    page.drop("other", UNSOUND.replace('"captcha_only"', f'"{HOSTILE}"'))
    page.until("document.querySelector('#compared').childNodes.length")
    page.drop("captured", json.dumps({**EVENT, "triggerSource": HOSTILE}), HOSTILE)
    page.until("document.querySelector('#explained').childNodes.length")
    odd = (
        "() => document.querySelectorAll('img, script:not([src]), a[href], foreignObject, b, iframe, [onerror]').length"
    )
    assert page.page.run(odd) == 0
    assert page.page.run("() => alerted") == 0


def test_keyboard_alone_is_enough(page, served):
    """Edit, play, sign in, choose a tab, save: each stop is seen."""
    keys = Keyboard(page.page)
    keys.reach("The flow")
    page.page.keys("Control+a", "Delete")
    page.page.write(UNSOUND)
    page.until("document.querySelector('#findings .error')")
    keys.press("Play WW101 in the diagram")
    page.lit("tokens")
    keys.press("Save", "Space")
    page.until("document.querySelector('#saved').textContent === 'saved'")
    assert served.file.read_text() == UNSOUND
    keys.press("Continue")
    page.until("document.querySelector('watchword-sign-in img')")
    keys.enter("Characters in the picture", served.answer("captcha"))
    page.lit("tokens")
    keys.reach("What the user got")
    page.page.keys("ArrowRight", "ArrowRight")
    assert page.page.run("() => document.activeElement.id") == "tab-messages"
    page.page.keys("ArrowLeft", "Tab")
    assert page.page.run("() => document.activeElement.id") == "events"


def put_in(page, name):
    """Put the page into the state called *name*."""
    match name:
        case "broken":
            page.edit("[")
            page.until("document.querySelector('#verdict').className === 'bad'")
        case "playing":
            page.edit(UNSOUND)
            page.press("Play WW101 in the diagram")
        case "signing_in" | "events":
            page.begin()
            page.until("document.querySelector('#messages article')")
        case "replay":
            page.drop("diagram", json.dumps(EVENT))
            page.until("document.querySelector('#explained article')")
        case "diff":
            page.drop("other", UNSOUND)
            page.until("document.querySelector('#compared figure svg')")
    if name == "events":
        page.page.run("() => document.querySelector('#tab-events').click()")
    page.page.run("() => { for (const each of document.querySelectorAll('details')) each.open = true }")


@pytest.mark.parametrize("name", ["broken", "playing", "signing_in", "events", "replay", "diff"])
def test_no_rule_of_wcag_is_broken(page, name, tmp_path):
    """By axe-core: levels A and AA of 2.0, 2.1 and 2.2, in light and dark, at three widths."""
    page.page.look(motion="reduce")
    put_in(page, name)
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            page.page.look(width=width, scheme=scheme, motion="reduce")
            page.page.run("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert [] == page.page.broken_rules(*WCAG), (scheme, width)
            wide = "({ width }) => document.documentElement.scrollWidth <= width"
            assert page.page.run(wide, width=width), (scheme, width)
        page.page.keep(artefacts(tmp_path, "studio"), f"{name}-{scheme}")


FROM_ELSEWHERE = """async ({ url, page, token }) => {
    const got = []
    const tell = (name, value) => got.push(`${name}: ${value}`)
    for (const path of ['/_studio/flow', '/_studio/events', '/', '/_watchword/studio', '/_watchword/studio.js', '/us-east-1_Abc123/.well-known/jwks.json'])
        for (const mode of ['cors', 'no-cors'])
            for (const method of ['GET', 'POST']) {
                const headers = mode === 'cors' ? { 'x-watchword-token': token, 'content-type': 'application/json' } : {}
                const reply = await fetch(url + path, { method, mode, headers, ...(method === 'POST' ? { body: '{}' } : {}) }).catch(() => null)
                const text = await reply?.text().catch(() => '')
                if (text) tell(`${mode} ${method} ${path}`, text.slice(0, 40))
            }
    const loaded = (tag, properties) => new Promise((done) => {
        const made = Object.assign(document.createElement(tag), properties)
        made.onload = () => done(true)
        made.onerror = () => done(false)
        document.body.append(made)
    })
    if (await loaded('script', { src: `${url}/_watchword/studio.js` })) tell('script', 'loaded')
    if (await loaded('img', { src: `${url}/_watchword/studio.css` })) tell('img', 'loaded')
    if (await loaded('link', { rel: 'stylesheet', href: `${url}/_watchword/studio.css` })) tell('link', 'loaded')
    const framed = document.createElement('iframe')
    framed.src = page
    document.body.append(framed)
    await new Promise((done) => { framed.onload = done })
    try { if (framed.contentDocument?.querySelector('#source')) tell('iframe', 'read') } catch { /* another origin */ }
    const socket = new WebSocket(url.replace('http', 'ws') + '/_studio/flow')
    if (await new Promise((done) => { socket.onopen = () => done(true); socket.onerror = () => done(false) })) tell('socket', 'open')
    const form = Object.assign(document.createElement('form'), { method: 'post', action: `${url}/_studio/host`, enctype: 'text/plain', target: 'sink' })
    const sink = Object.assign(document.createElement('iframe'), { name: 'sink' })
    form.append(Object.assign(document.createElement('input'), { name: '{"forward":3600,"x":"', value: '"}' }))
    document.body.append(sink, form)
    await new Promise((done) => { sink.onload = done; form.submit() })
    return got
}"""


def test_a_page_from_another_origin_gets_nothing(browser, served):
    """Fetch with and without CORS, though it has the token; scripts, pictures, styles, frames, sockets and forms."""
    page = browser.page(browser.origin())
    before = served.workshop.clock.now()
    assert [] == page.run(FROM_ELSEWHERE, url=served.origin, page=served.url, token=TOKEN)
    assert served.workshop.clock.now() - before < 3600
    assert not served.workshop.since(0)["events"]


def test_types_are_those_that_its_comments_say(tmp_path):
    """TypeScript's checker, as strict as it is, finds nothing in the page's own script."""
    node = find_node("typescript")
    shutil.copy(str(files("watchword_adapters.cli.studio").joinpath("studio.js")), tmp_path / "studio.js")
    (tmp_path / "watchword-sign-in.js").write_text(component(), "utf-8")
    options = "--noEmit --allowJs --checkJs --strict --target esnext --lib esnext,dom,dom.iterable --module esnext --moduleResolution bundler"
    command = [
        node,
        CLIENTS / "node_modules/typescript/bin/tsc",
        *options.split(),
        "--types",
        "",
        tmp_path / "studio.js",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
