// Prints what the parts of the sign-in form compute: `node form_parts.mjs FILE`, with questions as JSON on stdin.
import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const form = await import(`data:text/javascript;base64,${readFileSync(file).toString('base64')}`)
const { qr, srp, failures } = JSON.parse(readFileSync(0, 'utf8'))
const proofs = []
for (const { poolId, password, secret, given, now } of srp) {
  const { A, answer } = form.startSrp(poolId, password, secret ? BigInt(secret) : undefined)
  proofs.push({ A, ...(given ? await answer(given, new Date(now * 1000)).catch(({ code }) => ({ code })) : {}) })
}

process.stdout.write(
  JSON.stringify({
    texts: form.TEXTS,
    qr: qr.map((text) => form.qrModules(text).map((row) => row.map(Number).join(''))),
    srp: proofs,
    failures: failures.map(([type, message]) => {
      const { code, ref, over } = form.failure(type, message)
      return { code, ref, over }
    }),
  }),
)
