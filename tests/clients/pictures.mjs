// Takes pictures in Chromium: `node pictures.mjs CHROMIUM FOLDER`, with what to do as JSON on stdin. It prints what a screen reader finds in each.
//
// A session is a page and a list of steps: ["goto", address], ["type", text], ["press", key], ["click", selector], ["wait", selector],
// ["fill", selector, text], ["code", address, step] types the right answer that the server tells, ["run", command, selector] what a command
// prints for the text of an element, ["picture", name, selector].
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [executablePath, folder] = process.argv.slice(2)
const found = {}
const browser = await chromium.launch({ executablePath, args: ['--no-first-run', '--host-resolver-rules=MAP localhost 127.0.0.1'] })

for (const { size, steps } of JSON.parse(readFileSync(0, 'utf8'))) {
  const context = await browser.newContext({ viewport: size, locale: 'en', colorScheme: 'light', reducedMotion: 'reduce', timezoneId: 'UTC' })
  const page = await context.newPage()
  const done = {
    goto: (address) => page.goto(address),
    type: (text) => page.keyboard.type(text),
    press: (key) => page.keyboard.press(key),
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.fill(selector, text),
    wait: (selector) => page.waitForSelector(selector),
    async code(address, step) {
      const { answers } = await (await fetch(address)).json()
      await page.keyboard.type(answers[step])
    },
    async run(command, selector) {
      const text = (await page.textContent(selector)).trim()
      await page.keyboard.type(execFileSync(command[0], [...command.slice(1), text]).toString().trim())
    },
    async picture(name, selector) {
      const place = page.locator(selector)
      await place.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled', caret: 'hide' })
      found[name] = await place.ariaSnapshot()
    },
  }
  for (const [name, ...given] of steps) await done[name](...given)
  await context.close()
}
await browser.close()
process.stdout.write(JSON.stringify(found))
