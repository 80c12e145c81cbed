// Prints what AsyncAPI's own parser has to say against the documents that are named.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const wrong = ({ severity }) => severity <= 1; // errors and warnings, not hints
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf-8"));
  for (const { code, message, path: place } of diagnostics.filter(wrong)) {
    console.log(`${path}: ${code} at ${place.join("/")}: ${message}`);
  }
  if (document === undefined) {
    console.log(`${path}: not a document of AsyncAPI`);
  }
}
