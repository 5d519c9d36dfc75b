// aws-jwt-verify: node verify_tokens.mjs ENDPOINT POOL CLIENT ISSUER ID_TOKEN ACCESS_TOKEN
import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify'
import { clientId, endpoint, errorOf, poolId, report } from './local_pool.mjs'

const [issuer, idToken, accessToken] = process.argv.slice(5)
const jwks = await (await fetch(`${endpoint}/${poolId}/.well-known/jwks.json`)).json()
const verifiers = issuer.startsWith(endpoint)
  ? [
      JwtVerifier.create({ issuer, audience: clientId }),
      JwtVerifier.create({ issuer, audience: null, customJwtCheck: ({ payload }) => {
        if (payload.client_id !== clientId || payload.token_use !== 'access') throw new Error('another client')
      } }),
    ]
  : [
      CognitoJwtVerifier.create({ userPoolId: poolId, clientId, tokenUse: 'id' }),
      CognitoJwtVerifier.create({ userPoolId: poolId, clientId, tokenUse: 'access' }),
    ]
for (const verifier of verifiers) verifier.cacheJwks(jwks)
const [idVerifier, accessVerifier] = verifiers
const told = ({ sign_in_methods, sign_in_flow, sign_in_at }) => ({ sign_in_methods, sign_in_flow, sign_in_at })
const forged = `${idToken.slice(0, -8)}AAAAAAAA`
report({
  id: (await idVerifier.verify(idToken)).token_use,
  access: (await accessVerifier.verify(accessToken)).username,
  told: { id: told(await idVerifier.verify(idToken)), access: told(await accessVerifier.verify(accessToken)) },
  forged: await errorOf(idVerifier.verify(forged)),
})
