// amazon-cognito-identity-js: the whole life of an account.
import cognito from 'amazon-cognito-identity-js'
import { PASSWORD, clientId, codeFor, endpoint, errorOf, mailsFor, otherThan, poolId, report } from './local_pool.mjs'

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = cognito
const pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint })

const called = (begin) =>
  new Promise((resolve, reject) => begin((error, result) => (error ? reject(error) : resolve(result))))

const RESEND = { watchword_action: 'resend' }

/** Begins a sign-in and answers its custom challenges with what `answer` gives, one after the other: a text, or RESEND. */
function signIn(name, password, answer) {
  const user = new CognitoUser({ Username: name, Pool: pool })
  user.setAuthenticationFlowType('CUSTOM_AUTH')
  const details = new AuthenticationDetails({ Username: name, Password: password ?? undefined })
  const rounds = []
  return new Promise((resolve, reject) => {
    const callbacks = {
      onSuccess: (session) => resolve({ user, session, rounds }),
      onFailure: reject,
      customChallenge: async (parameters) => {
        rounds.push({ step: parameters.step, error: parameters.error ?? null, left: parameters.attempts_left })
        const given = await answer(rounds.length, parameters)
        if (given === RESEND) user.sendCustomChallengeAnswer('-', callbacks, RESEND)
        else user.sendCustomChallengeAnswer(given, callbacks, { watchword_signin: parameters.signin })
      },
    }
    if (password === null) user.initiateAuth(details, callbacks)
    else user.authenticateUser(details, callbacks)
  })
}

const name = `ida-${process.pid}`
const wrongTwice = async (round) => {
  const code = await codeFor(name)
  return round < 3 ? otherThan(code) : code
}
const email = new CognitoUserAttribute({ Name: 'email', Value: `${name}@example.com` })
const results = {}

const signedUp = await called((done) => pool.signUp(name, PASSWORD, [email], [], done))
results.signUp = { confirmed: signedUp.userConfirmed, sub: signedUp.userSub }
results.unconfirmed = await errorOf(signIn(name, null, wrongTwice))
const fresh = new CognitoUser({ Username: name, Pool: pool })
results.wrongCode = await errorOf(called((done) => fresh.confirmRegistration('000000x', true, done)))
results.confirm = await called(async (done) => fresh.confirmRegistration(await codeFor(name), true, done))

const plain = await signIn(name, null, wrongTwice)
results.plain = { rounds: plain.rounds, idToken: plain.session.getIdToken().getJwtToken() }
results.wrongThrice = await errorOf(signIn(name, null, async () => otherThan(await codeFor(name))))

const bySrp = await signIn(name, PASSWORD, async () => codeFor(name))
results.srp = {
  rounds: bySrp.rounds,
  accessToken: bySrp.session.getAccessToken().getJwtToken(),
  idToken: bySrp.session.getIdToken().getJwtToken(),
}
results.wrongPassword = await errorOf(signIn(name, 'Wr0ng!word', wrongTwice))
results.unknownUser = await errorOf(signIn('nobody-at-all', 'Wr0ng!word', wrongTwice))

const user = bySrp.user
const attributes = await called((done) => user.getUserAttributes(done))
results.attributes = Object.fromEntries(attributes.map((each) => [each.Name, each.Value]))
const refreshed = await called((done) => user.refreshSession(bySrp.session.getRefreshToken(), done))
results.refresh = { accessToken: refreshed.getAccessToken().getJwtToken() }
results.signOut = await new Promise((resolve, reject) =>
  user.globalSignOut({ onSuccess: resolve, onFailure: reject }),
)
// globalSignOut drops the tokens that this user holds, so another object asks with the old ones.
const late = new CognitoUser({ Username: name, Pool: pool })
late.setSignInUserSession(bySrp.session)
results.afterSignOut = await errorOf(called((done) => late.getUserData(done, { bypassCache: true })))

// Again and again, by somebody who is quick.
const quick = `quick-${process.pid}`
const quickEmail = new CognitoUserAttribute({ Name: 'email', Value: `${quick}@example.com` })
await called((done) => pool.signUp(quick, PASSWORD, [quickEmail], [], done))
const registered = new CognitoUser({ Username: quick, Pool: pool })
await called(async (done) => registered.confirmRegistration(await codeFor(quick), true, done))
const right = async () => codeFor(quick)
const first = await signIn(quick, null, right)
const second = await signIn(quick, PASSWORD, right)
second.user.signOut()
const third = await signIn(quick, null, right)
results.again = [first, second, third].map((each) => each.rounds.length)
await new Promise((resolve, reject) => third.user.globalSignOut({ onSuccess: resolve, onFailure: reject }))
const mails = []
const pressed = await signIn(quick, null, async (round) => {
  mails.push((await mailsFor(quick)).length)
  return round < 3 ? RESEND : codeFor(quick)
})
results.pasted = (await signIn(`${quick}`, PASSWORD, async () => `\ufeff${await codeFor(quick)}\r\n`)).rounds.length
results.earlyResend = { rounds: pressed.rounds, mails: mails.map((each) => each - mails[0]) }
report(results)
