// What the scripts of all JavaScript clients share: where the pool is, its outbox, and how their results are printed.

export const [endpoint, poolId, clientId] = process.argv.slice(2)
export const PASSWORD = 'Passw0rd!x'

/** Returns the texts of the mails to a user, oldest first. */
export async function mailsFor(username) {
  const mails = await (await fetch(`${endpoint}/_watchword/outbox.json`)).json()
  return mails.filter((mail) => mail.username === username).map((mail) => mail.text)
}

/** Returns the code in the newest mail to a user: its first word of six or eight digits. */
export async function codeFor(username) {
  return (await mailsFor(username)).at(-1).match(/\b(\d{8}|\d{6})\b/)[0]
}

/** Returns another code of the same length. */
export const otherThan = (code) => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`

/** Returns the name and the message of the error that a promise ends with. */
export async function errorOf(promise) {
  try {
    await promise
  } catch (error) {
    const name = error.name === 'Error' ? error.constructor.name : error.name
    return { name, message: error.message }
  }
  return null
}

/** Prints what happened, for the test to look at. */
export function report(results) {
  process.stdout.write(JSON.stringify(results))
}
