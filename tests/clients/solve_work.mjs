// What altcha-lib answers to challenges: reads a JSON list of them from the standard input, writes the payloads that it makes.
import { solveChallenge } from "altcha-lib";
import { deriveKey as pbkdf2 } from "altcha-lib/algorithms/pbkdf2";
import { deriveKey as scrypt } from "altcha-lib/algorithms/scrypt";

const read = async () => {
  let text = "";
  for await (const part of process.stdin) text += part;
  return JSON.parse(text);
};

const payloads = [];
for (const challenge of await read()) {
  const deriveKey = challenge.parameters.algorithm === "SCRYPT" ? scrypt : pbkdf2;
  const solution = await solveChallenge({ challenge, deriveKey });
  payloads.push(btoa(JSON.stringify({ challenge, solution })));
}
console.log(JSON.stringify(payloads));
