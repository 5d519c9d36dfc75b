// @ts-check
// The page of the studio. It asks the studio's API, and shows what that says as text: nothing of it is ever read as HTML but the
// diagrams, which are parsed as SVG and stripped of everything but shapes and text.

const token = new URLSearchParams(location.search).get('token') ?? ''
/** @param {string} id @returns {any} */
const at = (id) => document.getElementById(id)

/** Asks the API; what it refuses is an error. @param {string} path @param {object} given @returns {Promise<any>} */
async function ask(path, given = {}) {
  const response = await fetch(`/_studio/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-watchword-token': token },
    body: JSON.stringify(given),
  })
  const reply = await response.json()
  if (!response.ok) throw new Error(reply.message ?? response.statusText)
  return reply
}

/** Makes an element. @param {string} tag @param {any} properties @param {any[]} inside @returns {any} */
function element(tag, properties = {}, ...inside) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...inside.filter((each) => each !== null && each !== undefined))
  return made
}

const SHAPES = new Set(['svg', 'title', 'g', 'path', 'polygon', 'rect', 'circle', 'text'])

/** Returns the picture in *text*, with nothing but shapes and text. @param {string} text */
function picture(text) {
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement
  for (const each of [...svg.querySelectorAll('*')]) if (!SHAPES.has(each.tagName)) each.remove()
  return document.importNode(svg, true)
}

// The text --------------------------------------------------------------------------------------------------------------------------

/** What the page knows. @type {{mark: string, saved: string, view: any, lit: string, playing: any, seen: number}} */
const state = { mark: '', saved: '', view: null, lit: '', playing: 0, seen: 0 }
let edits = 0

async function load() {
  const found = await ask('flow')
  document.title = `${found.file} – Watchword studio`
  at('file').textContent = found.file
  at('source').value = found.text
  Object.assign(state, { mark: found.mark, saved: found.text })
  settings = found
  showView(found.view)
  showSaved('')
  if (!at('forms').firstChild) addForm()
}

async function edited() {
  const mine = ++edits
  const view = await ask('edit', { text: at('source').value })
  if (mine === edits) showView(view)
  showSaved('')
}

/** @param {any} view */
function showView(view) {
  const verdict = at('verdict')
  markLines(view.error ? [{ line: view.line, severity: 'error', message: view.error }] : view.findings)
  if (view.error) {
    verdict.className = 'bad'
    verdict.textContent = `The last good flow is in use. ${view.error}`
    return
  }
  const changed = state.view?.svg !== view.svg
  const passwords = state.view?.password
  state.view = view
  verdict.className = view.sound ? 'good' : 'bad'
  verdict.textContent = view.sound ? `Sound, over ${view.states} states.` : 'Not sound: see below.'
  if (changed) at('diagram').replaceChildren(picture(view.svg))
  light(state.lit)
  showFindings(view)
  showFigures(view.figures)
  if (passwords !== undefined && passwords !== view.password) restartForms()
}

/** @param {any[]} findings */
function markLines(findings) {
  const lines = at('source').value.split('\n').length
  at('gutter').replaceChildren(
    ...Array.from({ length: lines }, (_, place) => {
      const here = findings.filter((each) => each.line === place + 1)
      const worst = ['error', 'warning', 'note'].find((severity) => here.some((each) => each.severity === severity))
      return element('li', { class: worst, title: here.map((each) => each.message).join('\n') || undefined }, String(place + 1))
    }),
  )
  at('gutter').scrollTop = at('source').scrollTop
}

/** @param {any} view */
function showFindings(view) {
  at('findings').replaceChildren(
    ...view.findings.map((/** @type {any} */ each) =>
      element(
        'li',
        { class: each.severity },
        element('p', {}, element('strong', {}, `${each.severity} ${each.code}`), each.line ? ` line ${each.line}: ` : ' ', each.message),
        each.rounds && element('button', { type: 'button', onclick: () => playRounds(each.rounds) }, 'Play it'),
      ),
    ),
  )
}

const FIGURES = {
  longest_path: 'longest path, rounds', guess_per_sign_in: 'guessed in a sign-in', guess_per_user_day: 'guessed in a user-day',
  messages_per_sign_in: 'messages in a sign-in', messages_per_user_day: 'messages in a user-day', sign_ins_to_lock_mail: 'sign-ins that lock mail',
}

/** @param {any} figures */
function showFigures(figures) {
  at('figures').replaceChildren(
    ...Object.entries(FIGURES).flatMap(([name, words]) => {
      const value = figures[name]
      const shown = name.startsWith('guess') && typeof value === 'number' ? value.toExponential(1) : String(value ?? 'none')
      return [element('dt', {}, words), element('dd', {}, shown)]
    }),
  )
}

/** @param {string} text */
function showSaved(text) {
  const differs = at('source').value !== state.saved
  at('save').disabled = !differs
  at('saved').textContent = text || (differs ? 'not saved' : '')
}

async function save() {
  const text = at('source').value
  if (!confirm(`Write ${at('file').textContent}?`)) return
  try {
    const { mark } = await ask('save', { text, mark: state.mark })
    Object.assign(state, { mark, saved: text })
    showSaved('saved')
  } catch (error) {
    showSaved(String(/** @type {Error} */ (error).message))
  }
}

// The diagram -----------------------------------------------------------------------------------------------------------------------

/** Lights up where a sign-in stands. @param {string} node @param {string} from */
function light(node, from = '') {
  state.lit = node
  for (const each of at('diagram').querySelectorAll('.lit')) each.classList.remove('lit')
  if (!node) return
  for (const each of at('diagram').querySelectorAll('.node')) if (each.dataset.node === node) each.classList.add('lit')
  if (from) for (const each of at('diagram').querySelectorAll('.edge')) if (each.dataset.from === from && each.dataset.to === node) each.classList.add('lit')
}

/** Plays a session in the diagram, a round a second. @param {any[]} rounds */
function playRounds(rounds) {
  clearInterval(state.playing)
  let place = 0
  const next = () => {
    const round = rounds[place]
    light(round.node, rounds[place - 1]?.node)
    at('playing').textContent = [`${place} of ${rounds.length - 1}`, round.word, round.read, round.why].filter(Boolean).join(' · ')
    if (++place === rounds.length) clearInterval(state.playing)
  }
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  next()
  state.playing = setInterval(next, still ? 2500 : 1000)
  at('picture').scrollIntoView({ block: 'nearest' })
}

// The sign-in -----------------------------------------------------------------------------------------------------------------------

/** @type {any} */
let settings = {}

function addForm() {
  const form = element('watchword-sign-in', {
    endpoint: '/', 'client-id': settings.client_id, 'user-pool-id': settings.pool_id, flow: state.view?.password ? 'custom-srp' : 'custom',
    username: 'ann', locale: 'en', 'heading-level': '3',
  })
  for (const name of ['watchword:challenge', 'watchword:signed-in', 'watchword:error']) form.addEventListener(name, () => void watch())
  at('forms').append(form)
}

function restartForms() {
  at('forms').replaceChildren()
  addForm()
}

/** @param {any} given */
async function host(given) {
  await ask('host', given)
  await watch()
}

// What happened ---------------------------------------------------------------------------------------------------------------------

let watching = Promise.resolve()

function watch() {
  watching = watching.then(look).catch((error) => (at('playing').textContent = `The studio does not answer: ${error.message}`))
  return watching
}

async function look() {
  const found = await ask('events', { since: state.seen })
  at('now').textContent = new Date(found.now * 1000).toLocaleTimeString()
  at('mail').checked = found.mail_down
  at('thrice').checked = found.repeats === 3
  if (found.changed_on_disk) showSaved('the file has changed on disk')
  showMessages(found)
  if (!found.events.length) return
  if (!state.seen) at('events').replaceChildren()
  state.seen = found.events.at(-1).number
  at('events').prepend(...found.events.toReversed().map(shownEvent))
  const place = found.events.findLast((/** @type {any} */ each) => each.node)
  if (place) {
    clearInterval(state.playing)
    at('playing').textContent = ''
    light(place.node, state.lit)
  }
}

/** @param {any} each */
function shownEvent(each) {
  const answer = each.trigger === 'define' ? each.returned : each.returned
  const told = JSON.stringify(each.event, null, 2)
  const summary = each.error ? `failed: ${each.error}` : Object.entries(answer).filter(([, value]) => typeof value !== 'object').map(([name, value]) => `${name}=${value}`).join(' ')
  return element(
    'details',
    {},
    element('summary', {}, element('strong', {}, `${each.number} ${each.trigger}`), ` ${summary}`),
    element('h3', {}, 'It was told'), element('pre', {}, told), element('h3', {}, 'It said'), element('pre', {}, JSON.stringify(answer, null, 2)),
  )
}

/** @param {any} found */
function showMessages(found) {
  const answers = Object.entries(found.answers).filter(([, text]) => text)
  const right = answers.length ? [element('p', {}, 'Right answers now: ', ...answers.flatMap(([step, text]) => [`${step}: `, element('code', {}, text), ' ']))] : []
  const mails = found.messages.toReversed().map((/** @type {any} */ each) =>
    element('article', {}, element('h3', {}, each.subject || `A message by ${each.channel}`), element('p', { class: 'quiet' }, `to ${each.to}`), element('pre', {}, each.text)),
  )
  at('messages').replaceChildren(...right, ...(mails.length || right.length ? mails : [element('p', { class: 'quiet' }, 'Nothing yet.')]))
}

async function explain() {
  const box = at('explained')
  try {
    const { events } = await ask('replay', { events: at('captured').value })
    box.replaceChildren(
      ...events.map((/** @type {any} */ each, /** @type {number} */ place) =>
        element('article', {}, element('h3', {}, `${place + 1}. ${each.trigger}: ${each.decision}`), element('p', {}, each.why), element('ol', {}, ...each.rounds.map((/** @type {any} */ round) => element('li', {}, `${round.word} ${round.read} – ${round.decision}: ${round.reason}`))), each.removed.length ? element('p', { class: 'quiet' }, `Taken out: ${each.removed.join(', ')}`) : null),
      ),
    )
    const last = events.at(-1)?.decision ?? ''
    const [word, name] = last.split(' ')
    light({ present: `step_${name}`, host: `host_${name}`, tokens: 'tokens', fail: 'fail' }[word] ?? '')
  } catch (error) {
    box.replaceChildren(element('p', { class: 'bad', role: 'alert' }, String(/** @type {Error} */ (error).message)))
  }
}

async function compare() {
  const box = at('compared')
  try {
    const found = await ask('diff', { text: at('other').value })
    const pictures = found.svg.map((/** @type {string} */ text) => picture(text))
    mark(pictures[0], pictures[1])
    mark(pictures[1], pictures[0])
    const listed = found.differences.map((/** @type {any} */ each) => element('li', { class: each.kind }, each.message))
    box.replaceChildren(
      element('p', {}, found.same ? 'No difference.' : `Sign-ins under way: ${found.in_flight}.`),
      element('ul', {}, ...listed),
      element('div', { class: 'pair' }, element('figure', {}, element('figcaption', {}, 'Before'), pictures[0]), element('figure', {}, element('figcaption', {}, 'Now'), pictures[1])),
    )
  } catch (error) {
    box.replaceChildren(element('p', { class: 'bad', role: 'alert' }, String(/** @type {Error} */ (error).message)))
  }
}

/** Marks in *one* picture what the *other* lacks. @param {any} one @param {any} other */
function mark(one, other) {
  const key = (/** @type {any} */ each) => [each.dataset.node, each.dataset.from, each.dataset.to, each.textContent].join('|')
  const there = new Set([...other.querySelectorAll('g')].map(key))
  for (const each of one.querySelectorAll('g')) if (!there.has(key(each))) each.classList.add('changed')
}

// Listeners -------------------------------------------------------------------------------------------------------------------------

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting
at('source').addEventListener('input', () => {
  clearTimeout(waiting)
  markLines([])
  waiting = setTimeout(edited, 120)
})
at('source').addEventListener('scroll', () => (at('gutter').scrollTop = at('source').scrollTop))
at('save').addEventListener('click', save)
at('load').addEventListener('click', () => (at('source').value === state.saved || confirm('Drop what is not saved?')) && load())
at('second').addEventListener('click', addForm)
at('fresh').addEventListener('click', restartForms)
at('mail').addEventListener('change', () => host({ mail_down: at('mail').checked }))
at('thrice').addEventListener('change', () => host({ repeats: at('thrice').checked ? 3 : 1 }))
at('explain').addEventListener('click', explain)
at('compare').addEventListener('click', compare)
for (const button of document.querySelectorAll('[data-forward]')) button.addEventListener('click', () => host({ forward: Number(/** @type {any} */ (button).dataset.forward) }))
for (const name of ['captured', 'other']) {
  const panel = at(name).closest('[role=tabpanel]')
  panel.addEventListener('dragover', (/** @type {DragEvent} */ event) => event.preventDefault())
  panel.addEventListener('drop', async (/** @type {DragEvent} */ event) => {
    event.preventDefault()
    const file = event.dataTransfer?.files[0]
    at(name).value = file ? await file.text() : (event.dataTransfer?.getData('text') ?? '')
    await (name === 'captured' ? explain() : compare())
  })
}
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
addEventListener('beforeunload', (event) => at('source').value !== state.saved && event.preventDefault())

try {
  await load()
  await watch()
} catch (error) {
  at('verdict').className = 'bad'
  at('verdict').textContent = String(/** @type {Error} */ (error).message)
}
