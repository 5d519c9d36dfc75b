// @ts-check
import { CognitoHandler, element } from './watchword-sign-in.js'
// The page of the studio. It asks the studio's API, and shows what that says as text: nothing of it is ever read as HTML but the
// diagrams, which are parsed as SVG and stripped of everything but shapes and text.

/** What the studio says of itself. @type {any} */
let settings = {}

const token = new URLSearchParams(location.search).get('token') ?? ''
/** @param {string} id @returns {any} */
const at = (id) => document.getElementById(id)

class TooLong extends Error {}

/** Asks the API; what it refuses is an error. @param {string} path @param {object} given @returns {Promise<any>} */
async function ask(path, given = {}) {
  const body = JSON.stringify(given)
  const size = new Blob([body]).size
  if (size > (settings.most_asked ?? Infinity)) throw new TooLong(`This is too long for the page: ${size} bytes, where ${settings.most_asked} are taken.`)
  let response
  try {
    response = await fetch(`/_studio/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-watchword-token': token },
      body,
    })
  } catch {
    throw new Error('The studio does not answer: it was stopped. Start it again, and open the address that it prints; copy first what is not saved.')
  }
  const reply = await response.json()
  if (!response.ok) throw Object.assign(new Error(reply.message ?? response.statusText), { status: response.status })
  return reply
}

/** Shows that something could not be done. @param {unknown} error */
function complain(error) {
  at('verdict').className = 'bad'
  at('verdict').textContent = String(/** @type {Error} */ (error).message)
}

/** Returns *work* that shows why it failed. @param {(...given: any[]) => Promise<any>} work */
const shielded = (work) => (/** @type {any[]} */ ...given) => work(...given).catch(complain)

const SHAPES = new Set(['svg', 'title', 'g', 'path', 'polygon', 'rect', 'circle', 'text'])

/** Returns the diagram, or why there is none. @param {any} drawn */
const drawing = (drawn) => (drawn.undrawn ? element('p', { class: 'quiet' }, drawn.undrawn) : picture(drawn.svg))

/** Returns the picture in *text*, with nothing but shapes and text. @param {string} text */
function picture(text) {
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement
  for (const each of [...svg.querySelectorAll('*')]) {
    if (!SHAPES.has(each.tagName)) each.remove()
    for (const { name } of [...each.attributes]) if (/^on|href|style/i.test(name)) each.removeAttribute(name)
  }
  // It shrinks to the room there is as long as its labels can be read; then it scrolls.
  svg.style.minWidth = `${0.9 * Number(svg.getAttribute('width'))}px`
  return document.importNode(svg, true)
}

// The text --------------------------------------------------------------------------------------------------------------------------

/**
 * What the page knows: *saved* is the text that was read or written last, and *gone* says that the file is no longer there; *shown* are the flows that
 * this page has had; *compared* is the flow that another was compared with; *place* is where the last sign-in is, and *failed* says what failed there.
 * @type {{mark: string, saved: string, gone: boolean, view: any, shown: Set<string>, compared: string, place: any, failed: string, tab: string, seen: number, text: string}}
 */
const state = { mark: '', saved: '', gone: false, view: null, shown: new Set(), compared: '', place: null, failed: '', tab: '', seen: 0, text: '' }
/** Whether an edit is being read, and whether there is a newer one. */
const editing = { now: false, again: false }

async function load() {
  const found = await ask('flow')
  document.title = `${found.file} – Watchword studio`
  at('file').textContent = found.file
  at('source').value = found.text
  Object.assign(state, { mark: found.mark, saved: found.text, gone: false })
  settings = found
  if (found.good) showView(found.good)
  showView(found.view)
  tellElsewhere(found.view.playing)
  showSaved('')
}

/** Says whether what is in the editor is in no file. */
const isUnsaved = () => state.gone || at('source').value !== state.saved

/** Loads the file again; what is in the editor remains if it is not there, so nothing is lost of a text that was saved. */
async function reload() {
  if (at('source').value !== state.saved && !confirm('Drop what is not saved?')) return
  try {
    await load()
  } catch (error) {
    if (isGone(error)) tellGone()
    else showSaved(String(/** @type {Error} */ (error).message), 'bad')
  }
}

/** Says whether the studio refused because the file is no longer there. @param {unknown} error */
const isGone = (error) => /** @type {any} */ (error).status === 410

function tellGone() {
  state.gone = true
  showSaved('the file is no longer on disk; Save writes it anew', 'bad')
}

/** Has the text read. One at a time, so that of edits in quick succession the last is read, and none waits for those between. */
async function edited() {
  showSaved('')
  editing.again = editing.now
  if (editing.now) return
  editing.now = true
  try {
    const text = at('source').value
    await take(text)
  } catch (error) {
    complain(error)
  } finally {
    editing.now = false
    if (editing.again) void edited()
    else if (waiting === undefined) at('verdict').removeAttribute('aria-busy')
  }
}

/** Has *text* read and, if it is a flow, put into use; returns what is said of it. @param {string} text */
async function take(text) {
  const view = await ask('edit', { text })
  if (text === at('source').value) {
    showView(view)
    tellElsewhere(view.playing)
  }
  return view
}

/** Says so if the studio plays another text than that of this page. @param {string} playing its mark */
function tellElsewhere(playing) {
  at('elsewhere').textContent = state.text && playing !== state.text ? 'Another page of this studio has put another text into use; edit here to take it back.' : ''
}

/** Says why a text is not in use. @param {any} view */
const unusable = (view) => `${view.too_large ? 'This flow is too large for the studio (watchword check walks it)' : 'This text is broken'}: ${view.error}`

/** @param {any} view */
function showView(view) {
  const verdict = at('verdict')
  if (!view.error) state.text = view.mark
  markLines(view.error ? [{ line: view.line, severity: 'error', message: view.error }] : view.findings)
  const stale = view.error && state.view
  document.body.classList.toggle('stale', Boolean(stale))
  if (view.error) tellCompared()
  at('findings-title').textContent = stale ? 'What check says of the last good flow' : 'What check says'
  if (view.error) {
    verdict.className = 'bad'
    verdict.textContent = `${unusable(view)}${/[.!?]$/.test(view.error) ? '' : '.'} ${stale ? 'The last good flow is in use.' : 'There is no flow to play yet.'}`
    return
  }
  const changed = state.view?.svg !== view.svg
  const another = state.view?.flow !== view.flow
  const before = opensWithPassword()
  state.view = view
  at('opening').hidden = !view.password || view.needs_password
  state.shown.add(view.flow)
  if (another && state.compared) {
    state.compared = ''
    at('compared').replaceChildren(element('p', {}, 'The flow has changed: compare again.'))
  }
  tellCompared()
  verdict.className = view.sound ? 'good' : 'bad'
  verdict.textContent = view.sound ? `Sound, over ${view.states} states.` : 'Not sound: see below.'
  for (const id of ['second', 'fresh']) at(id).disabled = false
  if (changed || view.undrawn) at('diagram').replaceChildren(drawing(view))
  if (changed || another) showPlace()
  showFindings(view)
  at('figures').replaceChildren(...terms(view.figures))
  void showMoney()
  if (before !== opensWithPassword() || !forms().length) restartForms()
}

/** Numbers the lines, and marks those of *findings*; the numbers between are one text, since a text may have very many. @param {any[]} findings */
function markLines(findings) {
  const last = at('source').value.split('\n').length
  const numbers = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: Math.max(0, to - from) }, (_, place) => `${from + place}\n`).join('')
  const marked = [...new Set(findings.map((each) => each.line))].filter((line) => line > 0 && line <= last).sort((one, other) => one - other)
  const parts = marked.flatMap((line, place) => {
    const here = findings.filter((each) => each.line === line)
    const worst = ['error', 'warning', 'note'].find((severity) => here.some((each) => each.severity === severity))
    const mark = element('span', { class: worst, title: here.map((each) => each.message).join('\n') }, String(line))
    return [numbers((marked[place - 1] ?? 0) + 1, line), mark, '\n']
  })
  at('gutter').replaceChildren(...parts, numbers((marked.at(-1) ?? 0) + 1, last + 1))
  at('gutter').scrollTop = at('source').scrollTop
}

/** @param {any} view */
function showFindings(view) {
  at('findings').replaceChildren(
    ...view.findings.map((/** @type {any} */ each) =>
      element(
        'li',
        { class: each.severity },
        element('p', {}, element('strong', {}, `${each.severity} ${each.code}`), ' ', each.line ? lineButton(each.line) : '', ' ', each.message),
        each.rounds && element('button', { type: 'button', onclick: () => playRounds(each.rounds) }, `Play ${each.code} in the diagram`),
      ),
    ),
  )
}

/** Returns a button that leads to a line of the text. @param {number} line */
const lineButton = (line) =>
  element('button', { type: 'button', class: 'plain', onclick: () => goTo(line) }, `line ${line}:`)

/** @param {number} line */
function goTo(line) {
  const source = at('source')
  const lines = source.value.split('\n')
  const begin = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
  source.focus()
  source.setSelectionRange(begin, begin + (lines[line - 1] ?? '').length)
  source.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(source).lineHeight))
}

/** Returns *rows* of a table as what is in a list of terms. @param {string[][]} rows */
const terms = (rows) => rows.flatMap(([words, value]) => [element('dt', {}, words), element('dd', {}, value)])

/** Shows what messages cost; a kind writes them all for it, so this comes a little later. */
async function showMoney() {
  const mine = state.text
  const { rows } = await ask('money').catch(() => ({ rows: [] }))
  if (mine === state.text) at('money').replaceChildren(...terms(rows))
}

/** @param {string} text @param {string} look */
function showSaved(text, look = '') {
  const differs = isUnsaved()
  at('save').disabled = !differs
  at('saved').className = look
  at('saved').textContent = text || (differs ? 'not saved' : '')
}

async function save() {
  const text = at('source').value
  const file = at('file').textContent
  try {
    const view = await take(text)
    if (!confirm(view.error ? `${unusable(view)}\n\nWrite ${file} all the same?` : `Write ${file}?`)) return
    await write(text, state.mark).catch(async (refused) => {
      if (!isGone(refused)) throw refused
      tellGone()
      if (confirm(`${file} is no longer on disk. Write it anew?`)) await write(text, '')
    })
  } catch (error) {
    showSaved(String(/** @type {Error} */ (error).message), 'bad')
  }
}

/** @param {string} text @param {string} base */
async function write(text, base) {
  const { mark } = await ask('save', { text, mark: base })
  Object.assign(state, { mark, saved: text, gone: false })
  showSaved('saved')
}

// The diagram -----------------------------------------------------------------------------------------------------------------------

/** Lights up a node, and the arrow to it from the node that a sign-in came from. @param {string} node @param {string} from @param {any} diagram */
function light(node, from = '', diagram = at('diagram')) {
  for (const each of diagram.querySelectorAll('.lit')) each.classList.remove('lit')
  if (!node) return follow(diagram.querySelector('.node.begin'))
  for (const each of diagram.querySelectorAll('.node')) if (each.dataset.node === node) each.classList.add('lit')
  if (from) for (const each of diagram.querySelectorAll('.edge')) if (each.dataset.from === from && each.dataset.to === node) each.classList.add('lit')
  follow(diagram.querySelector('.node.lit'))
}

/** Scrolls a diagram that is larger than the room for it to *node*. @param {Element | null} node */
function follow(node) {
  const room = node?.closest('svg')?.parentElement
  if (!node || !room) return
  const [inner, outer] = [node.getBoundingClientRect(), room.getBoundingClientRect()]
  room.scrollBy(inner.x + inner.width / 2 - outer.x - outer.width / 2, inner.y + inner.height / 2 - outer.y - outer.height / 2)
}

/** Shows where the last sign-in is, in place of what is played. One that goes by another flow is at no place of this diagram. */
function showPlace() {
  const { place, failed, view, tab } = state
  stop()
  at('stops').replaceChildren()
  const here = place && place.flow === view?.flow
  light(here ? place.node : '', here ? place.came : '')
  const whose = state.shown.has(place?.flow) ? 'the flow as it was before the edit' : 'a flow of another page of this studio, or of before this page was opened'
  const older = place && !here ? `It goes by ${whose}, which is not drawn. ` : ''
  at('playing').textContent = place ? `The sign-in${tab} ${told(place)}. ${older}${failed}`.trim() : failed
}

/** Says where a sign-in is. @param {any} place */
function told({ node, choices }) {
  if (node === 'tokens') return 'is at its end: tokens are issued'
  if (node === 'fail') return 'is at its end: it failed'
  if (choices.length) return `asks the user to choose: ${choices.join(', ')}`
  return `is at ${node.replace(/^(step|host)_/, '')}`
}

/** What is being played: the stops in the diagrams, where it is, and the clock that goes on. */
const tape = { stops: /** @type {any[][]} */ ([]), place: 0, clock: /** @type {any} */ (0), shown: /** @type {any[]} */ ([]), told: /** @type {any} */ (null) }

/** Plays a session in the diagram, in place of the last sign-in: a stop a second; where motion is unwanted, a step is a click. @param {any[]} rounds */
function playRounds(rounds) {
  at('playing').textContent = ''
  play([rounds], [at('diagram')], at('stops'))
  at('picture').scrollIntoView()
}

/** Plays *stops* in as many *diagrams*, and tells in *box* where it is, in each that has one of *names*. @param {any[][]} stops @param {any[]} diagrams @param {any} box @param {string[]} names */
function play(stops, diagrams, box, names = []) {
  stop()
  Object.assign(tape, { stops, place: 0, shown: diagrams, told: box })
  const last = Math.max(...stops.map((each) => each.length)) - 1
  const button = (/** @type {string} */ label, /** @type {() => void} */ onclick) => element('button', { type: 'button', onclick }, label)
  const line = element('p', { role: 'status' })
  const by = (/** @type {number} */ many) => () => (stop(), go(tape.place + many))
  const go = (/** @type {number} */ place) => {
    tape.place = Math.max(0, Math.min(last, place))
    for (const [number, rounds] of stops.entries()) {
      const here = Math.min(tape.place, rounds.length - 1)
      light(rounds[here]?.node ?? '', rounds[here]?.came, diagrams[number])
    }
    const sides = stops.map((rounds, number) => {
      const stop = rounds[Math.min(tape.place, rounds.length - 1)]
      const said = [stop?.word, stop?.read, stop?.why].filter(Boolean).join(' · ')
      return element('span', {}, names[number] && element('strong', {}, `${names[number]}: `), said)
    })
    const count = last ? [`${tape.place} of ${last}`, ' · '] : []
    line.replaceChildren(...count, ...sides.flatMap((side, number) => [...(names[number] ? [element('br')] : []), side]))
    if (tape.place === last) stop()
  }
  const buttons = [button('Back', by(-1)), button('Next', by(1)), button('From the beginning', by(-last))]
  box.replaceChildren(line, last ? element('p', { class: 'row' }, ...buttons) : '')
  go(0)
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches && last) tape.clock = setInterval(() => go(tape.place + 1), 1000)
}

function stop() {
  clearInterval(tape.clock)
}

// The sign-in -----------------------------------------------------------------------------------------------------------------------

/** Returns what the form signs in by. With a handler the form keeps nothing in the browser. */
function handler() {
  const cognito = new CognitoHandler('/', settings.client_id, settings.pool_id)
  return { begin: cognito.begin.bind(cognito), respond: cognito.respond.bind(cognito), session: () => cognito.session }
}

/** The access token of the last sign-in, for a step-up. */
let accessToken = ''

/** @param {CustomEvent} event */
function keepToken({ detail }) {
  accessToken = detail?.AccessToken ?? ''
  for (const form of forms()) form.accessToken = accessToken
}

/** @returns {any[]} */
const forms = () => [...at('forms').querySelectorAll('watchword-sign-in')]

/** The form that asked last. @type {any} */
let acting = null

/** Says in which of several forms the sign-in is that the diagram shows. */
const whichTab = () => (forms().length > 1 && forms().includes(acting) ? ` in tab ${forms().indexOf(acting) + 1}` : '')

/** Says whether the form asks for the password: the client decides that, where the flow has ways of both sorts. */
const opensWithPassword = () => Boolean(state.view?.password && (state.view.needs_password || at('with-password').checked))

function addForm() {
  /** @type {any} */
  const form = element('watchword-sign-in', {
    'client-id': settings.client_id, flow: opensWithPassword() ? 'custom-srp' : 'custom', username: 'ann', locale: 'en', 'heading-level': '3',
  })
  form.handler = handler()
  form.accessToken = accessToken
  form.addEventListener('watchword:signed-in', keepToken)
  for (const name of ['watchword:challenge', 'watchword:signed-in', 'watchword:error']) form.addEventListener(name, () => ((acting = form), void watch()))
  at('forms').append(element('p', { class: 'tab' }, `Tab ${forms().length + 1}`), form)
}

/** Opens the link of a message in the form that waits for one. @param {string} ticket */
function openLink(ticket) {
  const waiting = forms().findLast((form) => form.challenge?.link)
  if (waiting) return waiting.respond(ticket, {})
  at('link').textContent = 'No sign-in on this page waits for a link.'
}

function restartForms() {
  at('forms').replaceChildren()
  addForm()
  Object.assign(state, { place: null, failed: '', tab: '' })
  showPlace()
  void watch()
}

/** @param {any} given */
async function host(given) {
  await ask('host', given)
  await watch()
}

/** The browser's own clock, and by how many milliseconds the pool's is ahead: the form counts down by Date.now(). */
const browserNow = Date.now.bind(Date)
let ahead = 0
Date.now = () => browserNow() + ahead

// What happened ---------------------------------------------------------------------------------------------------------------------

let watching = Promise.resolve()
/** Looks again when an answer is no longer right. @type {ReturnType<typeof setTimeout> | undefined} */
let overdue

function watch() {
  watching = watching.then(look).catch(complain)
  return watching
}

async function look() {
  // A form that asks nothing waits for no answer.
  const sessions = forms().map((form) => (form.challenge ? form.handler.session() : ''))
  const found = await ask('events', { since: state.seen, sessions })
  ahead = found.now * 1000 - browserNow()
  at('now').textContent = new Date(found.now * 1000).toLocaleTimeString()
  showChannels(found.channels)
  at('thrice').checked = found.repeats === 3
  if (found.gone_from_disk) tellGone()
  else if (found.changed_on_disk) showSaved('the file has changed on disk', 'bad')
  tellElsewhere(found.playing)
  showMessages(found)
  if (!found.events.length) return
  if (!state.seen) at('events').replaceChildren()
  state.seen = found.events.at(-1).number
  at('events').prepend(...found.events.toReversed().map(shownEvent))
  for (const each of found.events) {
    if (each.node) Object.assign(state, { place: each, failed: '' })
    if (each.node || each.error) state.tab = whichTab()
    if (each.error) state.failed = failureOf(each, Object.keys(found.channels).filter((channel) => found.channels[channel]))
  }
  if (found.events.some((/** @type {any} */ each) => each.node || each.error)) showPlace()
}

/** Says what failed where the sign-in is. @param {any} event @param {string[]} stopped channels */
function failureOf({ trigger, error }, stopped) {
  if (trigger === 'host') return `The host refused the answer: ${error}${error.includes('expired') ? ` It waits ${settings.session_minutes} minutes for each.` : ''}`
  const why = error.includes('UNAVAILABLE') && stopped.length ? ` Stopped: ${stopped.join(', ')}.` : ''
  return `${trigger[0].toUpperCase()}${trigger.slice(1)} failed there: ${error}.${why}`
}

/** Has a box for each channel that the flow sends on, by which it is stopped. @param {{[channel: string]: boolean}} channels */
function showChannels(channels) {
  const boxes = at('channels')
  const names = Object.keys(channels)
  if (names.join() !== [...boxes.querySelectorAll('input')].map((box) => box.value).join())
    boxes.replaceChildren(
      ...names.map((name) => {
        const box = element('input', { type: 'checkbox', value: name, onchange: shielded(() => host({ stopped: { [name]: /** @type {any} */ (box).checked } })) })
        return element('label', {}, box, ` stop ${{ email: 'the mail server' }[name] ?? name}`)
      }),
    )
  for (const box of boxes.querySelectorAll('input')) box.checked = channels[box.value]
}

/** @param {any} each */
function shownEvent(each) {
  const answer = each.returned
  const given = JSON.stringify(each.event, null, 2)
  const summary = each.error ? `failed: ${each.error}` : Object.entries(answer).filter(([, value]) => typeof value !== 'object').map(([name, value]) => `${name}=${value}`).join(' ')
  return element(
    'details',
    {},
    element('summary', {}, element('strong', {}, `${each.number} ${each.trigger}`), ` ${summary}`),
    element('h3', {}, 'It was told'), element('pre', {}, given), element('h3', {}, 'It said'), element('pre', {}, JSON.stringify(answer, null, 2)),
  )
}

/** @param {any} found */
function showMessages(found) {
  const right = found.answers.flatMap((/** @type {any} */ each, /** @type {number} */ place) =>
    each ? [element('p', {}, `The right answer now, ${found.answers.length > 1 ? `in tab ${place + 1} ` : ''}at ${each.step}: `, element('code', {}, each.text))] : [],
  )
  clearTimeout(overdue)
  const until = Math.min(...found.answers.map((/** @type {any} */ each) => each?.until ?? Infinity))
  if (until < Infinity) overdue = setTimeout(watch, Math.max(0, until - found.now) * 1000 + 100)
  const mails = found.messages.toReversed().map((/** @type {any} */ each) => {
    const ticket = /#([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/.exec(each.link)?.[1]
    return element(
      'article', {}, element('h3', {}, each.subject || `A message by ${each.channel}`), element('p', { class: 'quiet' }, `by ${each.channel} to ${each.to}`), element('pre', {}, each.text),
      ticket && element('button', { type: 'button', onclick: () => openLink(ticket) }, 'Open the link here'),
    )
  })
  at('messages').replaceChildren(element('p', { id: 'link', role: 'status' }), ...right, ...(mails.length || right.length ? mails : [element('p', { class: 'quiet' }, 'Nothing yet.')]))
}

/** Explains the events in *text*, which came *from* a file if it was dropped. @param {string} text @param {string} from */
async function explain(text, from = '') {
  const box = at('explained')
  try {
    const { events, more, drawn } = await ask('replay', { events: text })
    const stops = element('div', {})
    // An event of an older flow is played in the diagram of that one.
    const older = new Map(Object.entries(drawn).map(([place, each]) => [Number(place), { name: each.name, picture: drawing(each) }]))
    const show = (/** @type {any} */ each) => each.rounds.length && (each.flow in drawn ? (play([each.rounds], [older.get(each.flow)?.picture], stops), stops.scrollIntoView()) : playRounds(each.rounds))
    box.replaceChildren(
      from && element('p', {}, `From ${from}:`),
      more ? element('p', {}, `These are the first ${events.length}. All of them are explained by: watchword replay ${at('file').textContent} FILE`) : '',
      ...events.map((/** @type {any} */ each, /** @type {number} */ place) =>
        element(
          'article',
          {},
          element('h3', {}, `${place + 1}. ${each.trigger}: ${each.decision}`),
          element('p', {}, each.why),
          element('ol', {}, ...each.rounds.map((/** @type {any} */ round) => element('li', {}, [round.word, round.read, round.why].filter(Boolean).join(' – ')))),
          each.flow in drawn ? element('p', {}, `It goes by a flow of before, ${drawn[each.flow].name}, which is drawn below.`) : null,
          each.rounds.length ? element('button', { type: 'button', onclick: () => show(each) }, `Show event ${place + 1} in the diagram`) : null,
          each.removed.length ? element('p', { class: 'quiet' }, `Not shown here: ${each.removed.join(', ')}`) : null,
        ),
      ),
      stops,
      ...[...older.values()].map(({ name, picture }) => figure(`A flow of before: ${name}`, picture)),
    )
    show(events.at(-1))
  } catch (error) {
    refuse(error, from)
  }
}

/** Shows why what was dropped or pasted is not explained. @param {unknown} error @param {string} from */
function refuse(error, from = '') {
  at('explained').replaceChildren(element('p', { class: 'bad', role: 'alert' }, `${from && `${from}: `}${/** @type {Error} */ (error).message}${error instanceof TooLong ? ` Explain it in a terminal: watchword replay ${at('file').textContent} FILE` : ''}`))
  at('explained').scrollIntoView({ block: 'nearest' })
}

/** Returns a diagram with its title. @param {string} title @param {any} picture */
const figure = (title, picture) =>
  element('figure', {}, element('figcaption', {}, title), element('div', { tabindex: '0', role: 'group', 'aria-label': `${title}: the diagram; it scrolls` }, picture))

const SIDES = ['Before', 'Now']

async function compare() {
  const box = at('compared')
  state.compared = ''
  try {
    const found = await ask('diff', { text: at('other').value })
    state.compared = found.flow
    const pictures = found.drawn.map(drawing)
    if (found.drawn.every((/** @type {any} */ each) => each.svg)) {
      mark(pictures[0], pictures[1])
      mark(pictures[1], pictures[0])
    }
    const stops = element('div', {})
    const listed = found.differences.map((/** @type {any} */ each, /** @type {number} */ place) =>
      element('li', { class: each.kind }, each.message, ' ', each.rounds && element('button', { type: 'button', onclick: () => (play(each.rounds, pictures, stops, SIDES), stops.scrollIntoView()) }, `Play difference ${place + 1} in both diagrams`)),
    )
    box.replaceChildren(
      element('p', {}, found.same ? 'No difference.' : `Sign-ins under way: ${found.in_flight}.`),
      element('ul', {}, ...listed),
      stops,
      element(
        'div',
        { class: 'pair' },
        ...SIDES.map((title, side) => figure(title, pictures[side])),
      ),
    )
  } catch (error) {
    box.replaceChildren(element('p', { class: 'bad', role: 'alert' }, String(/** @type {Error} */ (error).message)))
  }
  tellCompared()
}

/** Says so if a flow was compared with another than that in the editor. */
function tellCompared() {
  const { compared, view } = state
  const stale = document.body.classList.contains('stale') ? 'The text in the editor is not in use: Now is the last good flow.' : ''
  at('compared-with').textContent = !compared ? '' : compared === view?.flow ? stale : 'Now is the flow of another page of this studio.'
}

/** Marks in *one* picture what the *other* lacks. @param {any} one @param {any} other */
function mark(one, other) {
  const key = (/** @type {any} */ each) => [each.dataset.node, each.dataset.from, each.dataset.to, each.textContent].join('|')
  const there = new Set([...other.querySelectorAll('g')].map(key))
  for (const each of one.querySelectorAll('g')) if (!there.has(key(each))) each.classList.add('changed')
}

// Drops -----------------------------------------------------------------------------------------------------------------------------

/** Says whether text is dragged to where text is typed: the browser puts it there. @param {DragEvent} event */
const isForField = (event) => !event.dataTransfer?.types.includes('Files') && /** @type {Element} */ (event.target).matches('textarea, input')

/** Takes what is dropped, wherever on the page: a flow is edited or compared, all else is explained as events. @param {DragEvent} event */
async function drop(event) {
  if (isForField(event)) return
  event.preventDefault()
  const where = /** @type {Element} */ (event.target)
  const [file, another] = event.dataTransfer?.files ?? []
  const given = event.dataTransfer?.getData('text') ?? ''
  const name = file?.name ?? ''
  const panel = at(where.closest('#diff') ? 'diff' : 'replay')
  try {
    if (another) throw new Error('drop one file at a time')
    const text = file ? await textOf(file) : given
    const isFlow = name.toLowerCase().endsWith('.toml')
    if (isFlow && where.closest('#text')) return replaceText(text)
    panel.open = true
    if (panel === at('diff')) {
      at('other').value = text
      return await compare()
    }
    if (isFlow) throw new Error('this is a flow. Drop it on the text to edit it, or on Compare with another flow')
    at('captured').value = ''
    await explain(text, name)
  } catch (error) {
    at('replay').open = true
    refuse(error, name)
  }
}

/** Returns the text of *file*. @param {File} file */
async function textOf(file) {
  if (file.size > settings.most_asked) throw new TooLong(`this is too long for the page: ${file.size} bytes, where ${settings.most_asked} are taken.`)
  const bytes = await file.arrayBuffer().catch(() => Promise.reject(new Error('this cannot be read. Drop a file')))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('this is no text in UTF-8. If it is packed, unpack it first')
  }
}

/** Puts *text* into the editor, as if it was typed. @param {string} text */
function replaceText(text) {
  if (isUnsaved() && !confirm('Drop what is not saved?')) return
  at('source').value = text
  at('source').dispatchEvent(new Event('input'))
}

// Listeners -------------------------------------------------------------------------------------------------------------------------

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting
at('source').addEventListener('input', () => {
  clearTimeout(waiting)
  markLines([])
  at('verdict').setAttribute('aria-busy', 'true')
  waiting = setTimeout(() => {
    waiting = undefined
    void edited()
  }, 60)
})
at('source').addEventListener('scroll', () => (at('gutter').scrollTop = at('source').scrollTop))
at('save').addEventListener('click', save)
at('load').addEventListener('click', reload)
at('second').addEventListener('click', () => (addForm(), at('forms').lastChild.previousSibling.scrollIntoView()))
at('fresh').addEventListener('click', restartForms)
at('with-password').addEventListener('change', restartForms)
at('thrice').addEventListener('change', shielded(() => host({ repeats: at('thrice').checked ? 3 : 1 })))
at('explain').addEventListener('click', () => explain(at('captured').value))
at('compare').addEventListener('click', compare)
for (const each of document.querySelectorAll('main details')) each.addEventListener('toggle', () => each.scrollIntoView({ block: 'nearest' }))
at('refresh').addEventListener('click', shielded(watch))
for (const button of document.querySelectorAll('[data-forward]')) button.addEventListener('click', shielded(() => host({ forward: Number(/** @type {any} */ (button).dataset.forward) })))
// The browser would leave the page for a file that is dropped where nobody takes it.
addEventListener('dragover', (event) => isForField(event) || event.preventDefault())
addEventListener('drop', drop)
const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[role=tab]')])
/** @param {HTMLElement} chosen */
const choose = (chosen) => {
  for (const tab of tabs) {
    tab.setAttribute('aria-selected', String(tab === chosen))
    tab.tabIndex = tab === chosen ? 0 : -1
    at(/** @type {string} */ (tab.getAttribute('aria-controls'))).hidden = tab !== chosen
  }
}
for (const [place, tab] of tabs.entries()) {
  tab.addEventListener('click', () => choose(tab))
  tab.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const next = tabs[(place + step + tabs.length) % tabs.length]
    choose(next)
    next.focus()
  })
}
addEventListener('beforeunload', (event) => isUnsaved() && event.preventDefault())

try {
  await load()
  await watch()
} catch (error) {
  complain(error)
  at('main').hidden = true
}
