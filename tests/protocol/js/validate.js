// Prints what AsyncAPI's own parser has to say against the document that is named.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf-8"));
const wrong = ({ severity }) => severity <= 1; // errors and warnings, not hints
for (const { code, message, path } of diagnostics.filter(wrong)) {
  console.log(`${code} at ${path.join("/")}: ${message}`);
}
if (document === undefined) {
  console.log("not a document of AsyncAPI");
}
