// Runs the page for links of the how-to, as it is printed, against a local pool. Its lines: what it tells another browser, what the link gives, and
// what the token tells was proved.
import { readFileSync } from 'node:fs'

const [guide, endpoint, client, opens] = process.argv.slice(2)
const [, page, anywhere] = [...readFileSync(guide, 'utf8').matchAll(/```javascript\n([\s\S]*?)```/g)].map(([, code]) => code)
const kept = new Map()
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: (key) => kept.delete(key) }
globalThis.location = { hash: '', pathname: '/', search: '' }
globalThis.history = { replaceState: () => (location.hash = '') }

const source = page.replace('https://cognito-idp.eu-west-1.amazonaws.com/', endpoint).replace('4example', client)
const clicked = `const button = {}; const click = (ticket) => { ${anywhere}; return button.onclick() }`
const { askForLink, openLink, click } = new Function(`${source}; ${clicked}; return { askForLink, openLink, click }`)()

await askForLink('ann')
const mails = await (await fetch(`${endpoint}_watchword/outbox.json`)).json()
const ticket = mails.at(-1).link.split('#')[1]
const mine = [...kept]
kept.clear()
location.hash = `#${ticket}`
console.log(await openLink())
mine.forEach(([key, text]) => kept.set(key, text))
if (opens !== 'anywhere') location.hash = `#${ticket}`
const tokens = opens === 'anywhere' ? (await click(ticket)).AuthenticationResult : await openLink()
console.log(Object.keys(tokens).sort().join(' '), location.hash)
console.log(JSON.parse(Buffer.from(tokens.IdToken.split('.')[1], 'base64url')).sign_in_methods)
