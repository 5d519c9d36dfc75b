// AWS SDK v3, with cognito-srp-helper for the password.
import * as sdk from '@aws-sdk/client-cognito-identity-provider'
import { createSrpSession, signSrpSession, wrapAuthChallenge, wrapInitiateAuth } from 'cognito-srp-helper'
import { PASSWORD, clientId, codeFor, endpoint, errorOf, mailsFor, otherThan, poolId, report } from './local_pool.mjs'

const client = new sdk.CognitoIdentityProviderClient({ region: poolId.split('_')[0], endpoint })
const ClientId = clientId
const begin = (parameters) =>
  client.send(new sdk.InitiateAuthCommand({ ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: parameters }))
const answer = (reply, ANSWER, ClientMetadata = {}) =>
  client.send(
    new sdk.RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName: reply.ChallengeName,
      Session: reply.Session,
      ChallengeResponses: { USERNAME: reply.ChallengeParameters.USERNAME, ANSWER },
      ClientMetadata,
    }),
  )

async function byPassword(name, password) {
  const srp = createSrpSession(name, password, poolId, false)
  const opening = { ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { CHALLENGE_NAME: 'SRP_A', USERNAME: name } }
  const reply = await client.send(new sdk.InitiateAuthCommand(wrapInitiateAuth(srp, opening)))
  const proof = {
    ClientId,
    ChallengeName: reply.ChallengeName,
    Session: reply.Session,
    ChallengeResponses: { USERNAME: name },
  }
  return client.send(new sdk.RespondToAuthChallengeCommand(wrapAuthChallenge(signSrpSession(srp, reply), proof)))
}

const name = `sdk-${process.pid}`
const results = {}
const UserAttributes = [{ Name: 'email', Value: `${name}@example.com` }]
await client.send(new sdk.SignUpCommand({ ClientId, Username: name, Password: PASSWORD, UserAttributes }))
await client.send(
  new sdk.ConfirmSignUpCommand({ ClientId, Username: name, ConfirmationCode: await codeFor(name) }),
)

let reply = await begin({ USERNAME: name })
results.plain = []
for (let round = 1; reply.ChallengeName; round += 1) {
  const code = await codeFor(name)
  results.plain.push(reply.ChallengeParameters.attempts_left)
  const spent = reply
  reply = await answer(reply, round < 3 ? otherThan(code) : code)
  if (round === 1) results.replayed = await errorOf(answer(spent, code))
}
results.plainTokens = Object.keys(reply.AuthenticationResult).sort()

const proven = await byPassword(name, PASSWORD)
const done = await answer(proven, await codeFor(name))
results.srp = { step: proven.ChallengeParameters.step, idToken: done.AuthenticationResult.IdToken }
results.wrongPassword = await errorOf(byPassword(name, 'Wr0ng!word'))
results.unknownUser = await errorOf(byPassword('nobody-at-all', 'Wr0ng!word'))

const { AccessToken, RefreshToken } = done.AuthenticationResult
const user = await client.send(new sdk.GetUserCommand({ AccessToken }))
results.user = user.Username
const refreshed = await client.send(new sdk.GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }))
results.refresh = Object.keys(refreshed.AuthenticationResult).sort()
await client.send(new sdk.GlobalSignOutCommand({ AccessToken }))
results.afterSignOut = await errorOf(client.send(new sdk.GetUserCommand({ AccessToken })))
results.refreshAfterSignOut = await errorOf(
  client.send(new sdk.GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken })),
)
results.notPlayed = await errorOf(client.send(new sdk.ForgetDeviceCommand({ AccessToken, DeviceKey: 'a_1' })))

// Again and again, by somebody who is quick.
const quick = `quick-${process.pid}`
const quickEmail = [{ Name: 'email', Value: `${quick}@example.com` }]
await client.send(
  new sdk.SignUpCommand({ ClientId, Username: quick, Password: PASSWORD, UserAttributes: quickEmail }),
)
await client.send(
  new sdk.ConfirmSignUpCommand({ ClientId, Username: quick, ConfirmationCode: await codeFor(quick) }),
)
results.again = []
for (const open of [() => begin({ USERNAME: quick }), () => byPassword(quick, PASSWORD), () => begin({ USERNAME: quick })]) {
  const tokens = (await answer(await open(), await codeFor(quick))).AuthenticationResult
  results.again.push(Object.keys(tokens).length)
  await client.send(new sdk.GlobalSignOutCommand({ AccessToken: tokens.AccessToken }))
}
let pressed = await begin({ USERNAME: quick })
results.earlyResend = []
for (let press = 0; press < 2; press += 1) {
  const before = { mails: (await mailsFor(quick)).length, ...pressed.ChallengeParameters }
  pressed = await answer(pressed, '-', { watchword_action: 'resend' })
  const after = { mails: (await mailsFor(quick)).length, ...pressed.ChallengeParameters }
  results.earlyResend.push(JSON.stringify(before) === JSON.stringify(after) ? 'nothing changed' : { before, after })
}
results.afterEarlyResend = Object.keys(await answer(pressed, await codeFor(quick))).sort()
const pasted = await byPassword(quick, PASSWORD)
results.pasted = Object.keys(await answer(pasted, `\t${await codeFor(quick)}\n`)).sort()
report(results)
