// Reads a JSON list of URLs; writes what this parser (WHATWG's URL Standard) makes of each: its href, or null.
import { readFileSync } from "node:fs";

const read = (url) => (URL.canParse(url) ? new URL(url).href : null);
process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
