// What clients answer to challenges: reads a JSON list of them from the standard input, writes the payloads that they make.
//
// Of altcha-lib; or of the sign-in form, if its file is given.
import { readFileSync } from "node:fs";

const [file] = process.argv.slice(2);

async function byLibrary() {
  const { solveChallenge } = await import("altcha-lib");
  const { deriveKey: pbkdf2 } = await import("altcha-lib/algorithms/pbkdf2");
  const { deriveKey: scrypt } = await import("altcha-lib/algorithms/scrypt");
  return async (challenge) => {
    const deriveKey = challenge.parameters.algorithm === "SCRYPT" ? scrypt : pbkdf2;
    return btoa(JSON.stringify({ challenge, solution: await solveChallenge({ challenge, deriveKey }) }));
  };
}

async function byForm() {
  const form = await import(`data:text/javascript;base64,${readFileSync(file).toString("base64")}`);
  return (challenge) => form.solveWork(JSON.stringify(challenge), new AbortController().signal);
}

const solve = await (file ? byForm() : byLibrary());
const payloads = [];
for (const challenge of JSON.parse(readFileSync(0, "utf8"))) payloads.push(await solve(challenge));
console.log(JSON.stringify(payloads));
