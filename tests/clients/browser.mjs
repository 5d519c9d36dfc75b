// Drives Chromium for the tests: one line of JSON a command on stdin, one line of JSON a reply on stdout.
//
// Pages are served from loopback by the name localhost, where WebAuthn works without TLS. Each page is a browser profile of
// its own, with the authenticators that CDP gives it. A command that fails is replied to with the name and the message of
// the error, since that is what a client sees.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const [executablePath] = process.argv.slice(2)

const bundled = await build({
  entryPoints: [new URL('browser_page.mjs', import.meta.url).pathname],
  bundle: true,
  format: 'iife',
  write: false,
  logLevel: 'error',
})
const documents = {
  '/': ['text/html', '<!doctype html><title>Watchword</title><input autocomplete="username webauthn"><script src="/page.js"></script>'],
  '/page.js': ['text/javascript', bundled.outputFiles[0].text],
}

/** Serves the page at a free port; each port is an origin of its own. */
async function origin() {
  const server = createServer(({ url }, response) => {
    const [type, text] = documents[url] ?? ['text/plain', '']
    response.writeHead(documents[url] ? 200 : 404, { 'content-type': type }).end(text)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://localhost:${server.address().port}`
}

/** Returns what has the focus: its name, and whether that is seen. */
const focused = () => {
  const at = document.activeElement
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  const named = document.getElementById(at.getAttribute('aria-labelledby') ?? '') ?? at.labels?.[0] ?? at
  return { name: at.getAttribute('aria-label') ?? named.textContent.trim(), tag: at.localName, visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 }
}
const MOST_STOPS = 30

const browser = await chromium.launch({ executablePath, args: ['--no-first-run', '--host-resolver-rules=MAP localhost 127.0.0.1'] })
const pages = []

const commands = {
  /** Serves the page once more, at an origin of its own. */
  origin,

  /** Opens the page at an origin, in a fresh profile; returns its number. */
  async open(at) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const requests = []
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
    const errors = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(at)
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable', { enableUI: false })
    return pages.push({ context, page, cdp, requests, errors }) - 1
  },

  /** Takes a page to another origin, with its authenticators. */
  async go(number, at) {
    await pages[number].page.goto(at)
  },

  /** Opens another tab in the profile of a page; returns its number. */
  async tab(number, at) {
    const { context } = pages[number]
    const page = await context.newPage()
    const requests = []
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
    await page.goto(at, { waitUntil: 'networkidle' })
    return pages.push({ context, page, requests }) - 1
  },

  /** What a user does: type into a field, press a button, and wait for what is said. */
  type: (number, label, text) => pages[number].page.getByLabel(label).fill(text),
  press: (number, name) => pages[number].page.getByRole('button', { name }).click(),
  see: (number, text) => pages[number].page.getByText(text).first().waitFor(),

  /** What a user does who has a keyboard alone: go from stop to stop until one has this name, press keys, write. */
  async reach(number, name) {
    const { page } = pages[number]
    await page.locator('[aria-busy=true]').waitFor({ state: 'detached' })
    const met = []
    for (let stop = 0; stop < MOST_STOPS; stop++) {
      const at = await page.evaluate(focused)
      if (at.name === name) return at
      met.push(at.name)
      await page.keyboard.press('Tab')
    }
    throw new Error(`no stop is called ${name}: ${met.join(' | ')}`)
  },
  keys: async (number, ...keys) => {
    for (const key of keys) await pages[number].page.keyboard.press(key)
  },
  write: (number, text) => pages[number].page.keyboard.type(text),
  focus: (number) => pages[number].page.evaluate(focused),

  /** How a page is looked at, and what is seen: the rules of WCAG that are broken, the accessibility tree, a picture. */
  async look(number, width, height, colorScheme, reducedMotion) {
    await pages[number].page.setViewportSize({ width, height })
    await pages[number].page.emulateMedia({ colorScheme, reducedMotion })
  },
  async axe(number, tags) {
    const { page } = pages[number]
    if (!(await page.evaluate('!!globalThis.axe'))) await page.evaluate(readFileSync(new URL(import.meta.resolve('axe-core')), 'utf8'))
    const found = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: 'tag', values } }), tags)
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
  },
  tree: (number) => pages[number].page.locator('body').ariaSnapshot(),
  shoot: async (number, path) => void (await pages[number].page.screenshot({ path, fullPage: true })),

  /** Everything about a page that a script in it could read. */
  text: (number) => pages[number].page.evaluate(() => `${location.href} ${document.referrer} ${document.documentElement.outerHTML}`),

  /** Drags the files at *paths* from the desktop, and drops them on what is found by *selector*; returns where the page is then. */
  async drop(number, selector, ...files) {
    const { page, cdp } = pages[number]
    await page.locator(selector).scrollIntoViewIfNeeded()
    const { x, y, width, height } = await page.locator(selector).boundingBox()
    const dragged = { x: x + width / 2, y: y + height / 2, data: { items: [], files, dragOperationsMask: 1 } }
    for (const type of ['dragEnter', 'dragOver', 'drop']) await cdp.send('Input.dispatchDragEvent', { type, ...dragged })
    return page.url()
  },

  /** Sends a command of the DevTools protocol. */
  cdp: (number, method, parameters) => pages[number].cdp.send(method, parameters),

  /** Calls a function of the client, or runs a function of the test's own, given as text. */
  call: (number, name, parameters) => pages[number].page.evaluate(([name, parameters]) => globalThis.client[name](parameters), [name, parameters]),
  run: (number, text, parameters) => pages[number].page.evaluate(`(${text})(${JSON.stringify(parameters)})`),

  /** Returns what was thrown in the page and caught by nobody. */
  errors: (number) => pages[number].errors,

  /** Returns what the page has requested since it was last asked. */
  requests: (number) => pages[number].requests.splice(0),

  version: () => browser.version(),
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line)
  let reply
  try {
    reply = { value: (await commands[name](...given)) ?? null }
  } catch (error) {
    reply = { error: error.message.replace(/^page\.evaluate: /, '').split('\n')[0] }
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
await browser.close()
process.exit(0)
