"""The sign-in form in Chromium, in each of its states: WCAG 2.2 AA, languages, widths, colours, and text that strangers wrote."""

import json

import pytest

from kit.programs import find_node
from kit.sign_in_form import STATES, WCAG, Keyboard, artefacts, shows, site, state
from watchword import Flow
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

WIDTHS = (320, 768, 1280)
RESTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FORM = "document.querySelector('watchword-sign-in')"


@pytest.fixture(scope="module", autouse=True)
def _axe():
    """Nothing here runs without it."""
    find_node("axe-core")


@pytest.fixture(scope="module")
def served():
    """One pool, whose page has a strict policy: nothing inline, nothing from elsewhere."""
    with site(lambda origin: Flow(EmailOtp())) as running_site:
        yield running_site


@pytest.fixture(scope="module")
def page(browser, served):
    return browser.page(f"{served.page}?locale=en")


@pytest.fixture(autouse=True)
def _usual(page):
    """Each test begins with the same page, in which nothing is thrown that nobody catches."""
    page.look()
    page.run(f"() => {{ {FORM}.setAttribute('locale', 'en'); document.body.focus() }}")
    yield
    assert [] == page.errors()


def put_in(page, name):
    """Put the form into the state called *name*."""
    match name:
        case "start":
            page.run(f"() => {{ {FORM}.handler = null; {FORM}.removeAttribute('flow'); {FORM}.start() }}")
        case "password":
            page.run(f"() => {{ {FORM}.setAttribute('flow', 'custom-srp'); {FORM}.start() }}")
        case "empty":
            page.run(
                f"() => {{ {FORM}.setAttribute('flow', 'custom'); {FORM}.username = ''; {FORM}.handler = null; {FORM}.start(); {FORM}.querySelector('form').requestSubmit() }}"
            )
        case "new_password":
            shows(page, {"requiredAttributes": '["userAttributes.given_name"]'}, name="NEW_PASSWORD_REQUIRED")
        case "done":
            page.run(f"() => {FORM}.finished({{}})")
        case "failed":
            page.run(f"() => {{ {FORM}.challenge = null; {FORM}.failed(new Error('x')) }}")
        case "link_of_another_browser" | "link_that_opens_anywhere":
            opens = ["same_browser", "anywhere"][name == "link_that_opens_anywhere"]
            facts = json.dumps(json.dumps({"userName": "ann", "opens": opens}))
            page.run(f"() => {{ {FORM}.handler = null; {FORM}.showLink(btoa({facts}) + '.x') }}")
        case "other_tab" | "other_tab_done":
            shows(page, STATES["link"])
            done = str(name == "other_tab_done").lower()
            page.run(f"() => {{ {FORM}.signin = 'x'; {FORM}.overtaken({{ signin: 'x', done: {done} }}) }}")
        case _:
            shows(page, STATES[name])


ALL = (
    *("start", "password", "empty", "new_password", "done"),
    *("link_of_another_browser", "link_that_opens_anywhere", "other_tab", "other_tab_done"),
    *STATES,
)


@pytest.mark.parametrize("name", ALL)
def test_no_rule_of_wcag_is_broken(page, name, tmp_path):
    """By axe-core: levels A and AA of 2.0, 2.1 and 2.2, in light and dark, at three widths."""
    put_in(page, name)
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            page.look(width=width, scheme=scheme, motion="reduce")
            page.run(RESTED)
            assert [] == page.broken_rules(*WCAG), (scheme, width)
        page.keep(artefacts(tmp_path), f"{name}-{scheme}")


SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }"
"""Text as somebody may want it to read it better (WCAG 1.4.12)."""
MEASURED = """({ locales, width, style }) => {
    const form = document.querySelector('watchword-sign-in'), odd = []
    const sheet = new CSSStyleSheet(), before = document.adoptedStyleSheets
    sheet.replaceSync(style)
    document.adoptedStyleSheets = [...before, sheet]
    for (const locale of locales) {
        form.setAttribute('locale', locale)
        if (document.documentElement.scrollWidth > width) odd.push(`${locale}: the page scrolls to the side`)
        for (const each of form.querySelectorAll('*')) {
            const box = each.getBoundingClientRect()
            if (box.left < 0 || box.right > width + 0.5) odd.push(`${locale}: ${each.localName} leaves the page`)
            if (each.matches('button, input') && (box.height < 24 || box.width < 24)) odd.push(`${locale}: ${each.localName} is small`)
        }
        const direction = (element) => getComputedStyle(element).direction
        if (direction(form) !== (locale === 'ar' ? 'rtl' : 'ltr')) odd.push(`${locale}: direction`)
        for (let texts = document.createTreeWalker(form, NodeFilter.SHOW_TEXT), text; locale === 'ar' && (text = texts.nextNode()); ) {
            const letter = /\\p{L}/u.exec(text.data)?.[0]
            if (letter && direction(text.parentElement) !== (/\\p{Script=Arabic}/u.test(letter) ? 'rtl' : 'ltr')) odd.push(`direction of ${text.data}`)
        }
    }
    document.adoptedStyleSheets = before
    return odd
}"""


@pytest.mark.parametrize("name", ALL)
def test_each_language_fits_the_smallest_screen(page, name):
    """At 320 CSS pixels nothing scrolls to the side (WCAG 1.4.10), spaced or not, and what is pressed is no smaller than 24 (2.5.8).

    Texts that are not the form's own have their own direction.
    """
    put_in(page, name)
    page.look(width=320)
    locales = page.run("async () => Object.keys((await import('./watchword-sign-in.js')).TEXTS)")
    for style in ("", SPACED):
        assert [] == page.run(MEASURED, locales=locales, width=320, style=style)


def test_motion_ends_where_it_is_not_wanted(page):
    """What breathes while the browser works is still for whoever asked for less motion."""
    put_in(page, "work")
    animations = "() => document.getAnimations().length"
    page.look(motion="no-preference")
    assert 1 == page.run(animations)
    page.look(motion="reduce")
    assert 0 == page.run(animations)


@pytest.mark.parametrize("name", [each for each in ALL if not each.endswith("done")])
def test_every_stop_is_seen_and_the_focus_goes_around(page, name):
    """Each field and each button that can be used is a stop, in the order of the page, and shows that it has the focus."""
    put_in(page, name)
    stops = "() => Array.from(document.querySelectorAll('input, button:not(:disabled)'), (each) => (each.labels?.[0] ?? each).textContent.trim())"
    wanted = page.run(stops)
    page.run("() => { document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0) }")
    page.run("() => { const h = document.querySelector('.ww-title'); h.focus(); h.blur() }")
    met = []
    for _ in wanted:
        page.keys("Tab")
        at = page.focus()
        assert at["visible"], at
        met.append(at["name"])
    assert wanted == met


def test_an_error_is_told_and_the_focus_is_where_it_can_be_mended(page):
    """The field is invalid, it is described by the alert, and it has the focus (WCAG 3.3.1, 4.1.3)."""
    shows(page, state("email_otp", destination=""), state("email_otp", destination="", error="wrong"))
    user = Keyboard(page)
    user.enter("Code", "000000")
    page.sees("That was not right.")
    told = "() => { const a = document.activeElement; return [a.name, a.getAttribute('aria-invalid'), document.getElementById(a.getAttribute('aria-describedby')).getAttribute('role')] }"
    assert ["answer", "true", "alert"] == page.run(told)


def test_what_is_left_empty_is_pointed_at(page):
    """Nothing is sent."""
    shows(page, STATES["fields_of_its_own"])
    user = Keyboard(page)
    user.fill("Your favourite colour", "green")
    page.keys("Enter")
    page.sees("Fill in this field: Your first pet")
    assert "Your first pet" == page.focus()["name"]
    assert 1 == page.run("() => taken.length")


SAID = (
    ("That code is no longer valid. A new one is on its way.", STATES["code_expired"]),
    ("That picture is no longer valid. Here is a new one.", {**STATES["picture"], "error": "expired"}),
    ("That took too long. Try again.", {**STATES["app"], "error": "expired"}),
    (
        "No other message can be sent now. The last code is still valid.",
        {**STATES["code_wrong"], "error": "unavailable"},
    ),
    ("This is not available now. Continue with another way.", STATES["unavailable"]),
    ("Open the link in the message in this browser, or type the code.", STATES["link"]),
    (
        "This link belongs to another sign-in. Type the code from the newest message.",
        {**STATES["link"], "error": "other_browser"},
    ),
    ("Open the link in the message, or type the code.", {**STATES["link"], "link": "anywhere"}),
)


def test_what_is_said_is_true_of_the_challenge(page):
    """A message is on its way only where one is sent, and a link is to be opened where it signs in."""
    for said, challenge in SAID:
        shows(page, challenge)
        assert said in page.run(f"() => Array.from({FORM}.querySelectorAll('p'), (each) => each.textContent)"), said


def test_a_link_that_is_not_right_is_told_as_one(page):
    """Nobody has typed anything wrong."""
    shows(page, STATES["link"], {**STATES["link"], "error": "wrong"}, {**STATES["link"], "error": "wrong"})
    page.run(f"() => {FORM}.respond('eyJ1.eyJ1')")
    page.sees("This link does not work any more.")
    Keyboard(page).enter("Code", "123456")
    page.sees("That was not right.")


def test_a_kind_gets_the_fields_that_it_asked_for(page):
    """As JSON, by their names."""
    shows(page, STATES["fields_of_its_own"])
    user = Keyboard(page)
    user.fill("Your favourite colour", "green")
    user.enter("Your first pet", "Rex")
    page.sees("Two questions")
    assert {"colour": "green", "pet": "Rex"} == json.loads(page.run("() => taken[1][0]"))


ODD_HINTS = [
    "",
    "{",
    "null",
    "[]",
    "[null]",
    "7",
    '"text"',
    '{"name": "a"}',
    '{"name": "a", "label": " "}',
    '{"name": "a b", "label": "A"}',
    '{"name": ["a"], "label": "A"}',
    '[{"name": "a", "label": "A"}, {"name": "a", "label": "B"}]',
    json.dumps([{"name": f"f{number}", "label": "A"} for number in range(17)]),
    '{"__proto__": {"name": "a", "label": "A"}}',
]


@pytest.mark.parametrize("hints", ODD_HINTS)
def test_hints_that_are_none_make_one_field(page, hints):
    """As if the kind had given none."""
    shows(page, state("question", input=hints))
    assert ["Answer"] == page.run(
        "() => Array.from(document.querySelectorAll('input'), (each) => each.labels[0].textContent)"
    )


def test_a_hint_says_only_what_a_field_can_be(page):
    """No other type, no listener, no attribute of its own; `__proto__` is a name like others."""
    odd = {
        "name": "__proto__",
        "label": "A",
        "type": "file",
        "inputmode": "x",
        "autocomplete": "X(",
        "maxlength": -1,
        "onfocus": "hit=1",
        "help": 7,
    }
    shows(page, state("question", input=json.dumps([odd, {"name": "constructor", "label": "B"}])))
    attributes = page.run(
        "() => { const i = document.querySelector('input'); return Object.fromEntries(i.getAttributeNames().map((n) => [n, i.getAttribute(n)])) }"
    )
    assert {"type": "text", "autocomplete": "off", "name": "__proto__"}.items() <= attributes.items()
    assert attributes.keys().isdisjoint({"inputmode", "maxlength", "onfocus", "help"})
    user = Keyboard(page)
    user.fill("A", "1")
    user.enter("B", "2")
    page.run(RESTED)
    assert '{"__proto__":"1","constructor":"2"}' == page.run("() => taken[1][0]")


HOSTILE = '"><img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>{title}\u202e'
HARM = "() => [globalThis.hit ?? 0, document.querySelectorAll('watchword-sign-in :is(script, iframe, img[src=x], [onerror])').length]"


HARMED = """async ({ challenge, names, hostile }) => {
    const form = document.querySelector('watchword-sign-in'), harmed = []
    for (const some of [...names.map((name) => [name]), names]) {
        form.show({ ...challenge, ...Object.fromEntries(some.map((name) => [name, hostile])) })
        await new Promise((done) => setTimeout(done))
        const made = form.querySelectorAll('script, iframe, img[src=x], [onerror]').length
        if (globalThis.hit || made || !form.querySelector('form')) harmed.push(some.join())
    }
    return [harmed, form.textContent.includes('onerror')]
}"""


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_what_strangers_wrote_is_text(page, name, locale):
    """In every public parameter that there is, in each alone and in all: nothing runs, the form is there, and the text is shown."""
    page.run(f"({{ locale }}) => {FORM}.setAttribute('locale', locale)", locale=locale)
    shows(page, STATES[name])
    every = {key for each in STATES.values() for key in each} | {"offers"}
    assert [[], True] == page.run(HARMED, challenge=STATES[name], names=sorted(every), hostile=HOSTILE)


@pytest.mark.parametrize("word", ["constructor", "__proto__", "toString", "title", "no such word"])
def test_names_of_objects_are_no_texts(page, word):
    """As an error, a kind, a step, an option, an offer or a language."""
    shows(page, state(word, step=word, error=word), state("select", choices=word, offers=word, error=word))
    assert page.run(f"() => {FORM}.querySelector('.ww-wrong').textContent") == "Something went wrong. Try again later."
    page.run(f"({{ word }}) => {FORM}.setAttribute('locale', word)", word=word)
    assert "function" not in page.run(f"() => {FORM}.textContent")
    Keyboard(page).enter("Answer", "x")
    page.sees("How do you want to sign in?")
    assert "function" not in page.run(f"() => {FORM}.textContent")


FAILS = f"""({{ type, message }}) => {{
    const form = {FORM}
    form.handler = null
    form.start()
    globalThis.fetch = async () => new Response(JSON.stringify({{ __type: type, message }}), {{ status: 400 }})
    return form.begin('ann', '')
}}"""


def test_a_sign_in_that_cannot_go_on_is_told_as_one(page):
    """Back at the first form, `this` would be the user name."""
    page.run(FAILS, type="UserLambdaValidationException", message="Create failed with error UNAVAILABLE BCDFGHJK.")
    page.sees("You cannot sign in now. Try again later. Reference: BCDF GHJK")


@pytest.mark.parametrize(
    "kind", ["NotAuthorizedException", "UserLambdaValidationException", "InvalidPasswordException", HOSTILE]
)
def test_errors_of_the_service_are_told_in_words_of_the_form(page, kind):
    """Its own text goes into the event alone."""
    page.run(FAILS, type=kind, message=HOSTILE)
    assert [0, 0] == page.run(HARM)
    assert "onerror" not in page.run(f"() => {FORM}.querySelector('.ww-wrong').textContent")


def test_what_a_user_has_typed_stays_when_the_language_changes(page):
    """And nobody is taken away from where they are."""
    shows(page, STATES["fields_of_its_own"])
    Keyboard(page).fill("Your favourite colour", "green")
    page.run(f"() => {{ {FORM}.querySelector('input').blur(); {FORM}.setAttribute('locale', 'de') }}")
    assert ["green", ""] == page.run("() => Array.from(document.querySelectorAll('input'), (each) => each.value)")
