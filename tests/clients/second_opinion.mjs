// What @simplewebauthn/server says of ceremonies: reads a JSON list from the standard input, writes one of true and false.
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";

const read = async () => {
  let text = "";
  for await (const part of process.stdin) text += part;
  return JSON.parse(text);
};

const judged = async ({ answer, expected, known }) => {
  const common = {
    response: { ...answer, clientExtensionResults: {} },
    expectedChallenge: expected.challenge,
    expectedOrigin: expected.origins,
    expectedRPID: expected.rpId,
    requireUserVerification: true,
  };
  try {
    if (!known) {
      const options = { ...common, supportedAlgorithmIDs: expected.algorithms };
      return (await verifyRegistrationResponse(options)).verified;
    }
    const credential = { id: known.id, counter: known.counter, publicKey: Buffer.from(known.publicKey, "base64url") };
    return (await verifyAuthenticationResponse({ ...common, credential })).verified;
  } catch (error) {
    return false;
  }
};

const verdicts = [];
for (const each of await read()) verdicts.push(await judged(each));
console.log(JSON.stringify(verdicts));
